"""The neural engine as the studio uses it: every style, its parameters, faces, messages, and weights that are not there."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import pyvips

from scripts.previews import HEIGHT, PREVIEWS, WIDTH
from tests.clients.builtin.helpers import Picture, decode_array, photo
from vetrina.clients.engines.base import EngineRefused, EngineRequest, EngineResult, validate
from vetrina.clients.engines.builtin import catalogue as builtin
from vetrina.clients.engines.builtin.engine import BuiltinEngine, IsolatedEngine
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.networks.models import ModelUnavailable
from vetrina.clients.engines.neural.catalogue import BY_NAME, PAINTED, STYLE_TRANSFER, STYLES, preview_path
from vetrina.clients.engines.neural.engine import NEEDED, NeuralEngine
from vetrina.clients.engines.neural.render import render

SIZE = 480


def painting(style: str, **parameters: Any) -> Picture:
    two = style == STYLE_TRANSFER
    payload = {
        "style": style,
        "parameters": {"size": SIZE, **parameters},
        "seed": 3,
        "products": [photo("astronaut")] if two else [],
        "models": [photo("fig_bowl")] if two else [photo("astronaut")],
        "networks": models.read_all(),
    }
    return decode_array(render(payload, lambda fraction, step: None)["images"][0])


def generate(engine: IsolatedEngine, **fields: Any) -> tuple[EngineResult, list[float]]:
    fractions: list[float] = []

    async def progress(fraction: float, _: str) -> None:
        fractions.append(fraction)

    defaults: dict[str, Any] = {"prompt": "", "parameters": {"size": SIZE}, "seed": 5, "products": [], "models": []}
    request = EngineRequest(**(defaults | fields))
    return asyncio.run(engine.generate(request, progress)), fractions


def test_every_style_has_preview_defaults_and_names_its_network():
    assert {style.name for style in STYLES} == {STYLE_TRANSFER, *PAINTED} and len(set(PAINTED.values())) == len(PAINTED)
    assert set(BY_NAME) <= set(PREVIEWS) and not set(BY_NAME) & set(builtin.BY_NAME)
    for style in STYLES:
        assert "neural network" in style.description and "no AI" not in style.description
        assert validate(style, {}) == {parameter.name: parameter.default for parameter in style.parameters}
        image = pyvips.Image.new_from_file(str(preview_path(style.name)))
        assert (image.width, image.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("style", [STYLE_TRANSFER, "blue_and_gold"])
def test_seed_determines_the_picture_of_the_child(style: str):
    two = style == STYLE_TRANSFER
    fields = {"products": [photo("dogs")] if two else [], "models": [photo("coffee")]}
    result, fractions = generate(NeuralEngine(), style=style, **fields)
    assert result.mime == "image/jpeg" and fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) > 4
    again, _ = generate(NeuralEngine(), style=style, **fields)
    assert again.images == result.images


def test_each_style_differs_from_the_photograph_and_the_others():
    original = decode_array(photo("astronaut"))[:, :, :3]
    means = {name: painting(name, protect_faces=False, strength=1.0) for name in ("bold_canvas", "pale_teal", "evening_oil")}
    for name, picture in means.items():
        assert picture.shape == original.shape and np.abs(picture - original).mean() > 0.08, name
    assert np.abs(means["bold_canvas"] - means["pale_teal"]).mean() > 0.08


def test_strength_0_is_the_photograph():
    original = decode_array(photo("astronaut"))[:, :, :3]
    assert np.abs(painting("bold_canvas", strength=0.0) - original).mean() < 0.02


def test_colours_of_the_photograph_can_be_kept():
    original = decode_array(photo("astronaut"))[:, :, :3]
    suit = np.s_[300:420, 120:220]  # orange
    expected = original[suit].mean(axis=(0, 1))
    with_colours = painting("pale_teal", keep_colours=True, strength=1.0)[suit].mean(axis=(0, 1))
    painted_over = painting("pale_teal", strength=1.0)[suit].mean(axis=(0, 1))
    assert expected[0] - expected[2] > 0.3
    assert with_colours[0] - with_colours[2] > 0.25 > painted_over[0] - painted_over[2]


@pytest.mark.parametrize("style", [STYLE_TRANSFER, "blue_and_gold"])
def test_faces_are_repainted_less(style: str):
    original = decode_array(photo("astronaut"))[:, :, :3]
    face, rest = np.s_[70:130, 185:240], np.s_[300:460, 40:220]
    protected, unprotected = painting(style), painting(style, protect_faces=False)

    def change(picture: Picture, part: tuple[slice, slice]) -> float:
        return float(np.abs(picture[part] - original[part]).mean())

    assert change(protected, face) < 0.6 * change(unprotected, face)
    assert change(protected, rest) == pytest.approx(change(unprotected, rest), rel=0.1)


def test_style_transfer_makes_a_picture_of_each_photograph_in_each_style():
    pictures = {"products": [photo("coffee"), photo("dogs")], "models": [photo("fig_bowl")]}
    result, _ = generate(NeuralEngine(), style=STYLE_TRANSFER, **pictures)
    sizes = [pyvips.Image.new_from_buffer(image, "") for image in result.images]
    assert [(image.width, image.height) for image in sizes] == [(480, 320), (384, 480)]


def test_missing_network_refuses_a_style_and_leaves_cut_outs_to_grabcut(monkeypatch: pytest.MonkeyPatch):
    def gone(model: models.Model, *_: object) -> bytes:
        raise ModelUnavailable(f"{model.name} is missing")

    monkeypatch.setattr(models, "read", gone)
    monkeypatch.setattr(models, "load", gone)
    with pytest.raises(EngineRefused, match="not available on this site"):
        generate(NeuralEngine(), style="bold_canvas", models=[photo("coffee")])
    result, _ = generate(BuiltinEngine(), style="studio_white", products=[photo("fig_bowl")])
    assert result.notes["cutouts"] == ["grabcut"]
    assert models.problem(NEEDED) == "multistyle26 is missing"
