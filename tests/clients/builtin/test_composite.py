"""Composition, measured: where the product lands, what its shadow and colours do, what is cut out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.clients.builtin.helpers import Picture, decode_array, photo, png, render_image
from vetrina.clients.engines.builtin.arrays import floats
from vetrina.clients.engines.builtin.catalogue import BY_NAME
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster.image_io import decode
from vetrina.clients.engines.builtin.rng import seeded_generator
from vetrina.clients.engines.builtin.scenes.composite import Placement, place
from vetrina.clients.engines.builtin.scenes.cutout import Cutout, cut_out
from vetrina.clients.engines.networks.models import SUBJECT, read

QUIET = StageProgress(lambda fraction, step: None)
PLAIN = Placement(shadow=0.0, colour_match=0.0, blend=0.0)
FLOOR = np.full((300, 400, 3), 0.62, np.float32)


def disc(colour: tuple[float, float, float] = (0.85, 0.1, 0.1)) -> Cutout:
    y, x = np.mgrid[-1:1:120j, -1:1:120j]
    alpha = ((x * x + y * y) < 1).astype(np.float32)
    return Cutout(np.broadcast_to(floats(colour), (120, 120, 3)).copy(), alpha, "alpha")


def composed(scene: Picture, where: Placement, product: Cutout | None = None) -> Picture:
    return place(scene, product or disc(), where, seeded_generator(1), QUIET)


@pytest.mark.parametrize(("x", "y", "size"), [(0.5, 0.5, 0.5), (0.2, 0.7, 0.3), (0.81, 0.33, 0.2), (0.4, 0.5, 0.9)])
def test_product_has_requested_position_and_size(x: float, y: float, size: float):
    result = composed(FLOOR, PLAIN._replace(x=x, y=y, size=size))
    red = (result[:, :, 0] - result[:, :, 1]) > 0.35
    rows, columns = np.nonzero(red)
    assert np.mean(columns) / 400 == pytest.approx(x, abs=0.01)
    assert np.mean(rows) / 300 == pytest.approx(y, abs=0.01)
    assert np.ptp(rows) / 300 == pytest.approx(size, abs=0.02)


def test_product_may_extend_beyond_the_frame():
    result = composed(FLOOR, PLAIN._replace(x=0.0, y=1.0, size=0.5))
    assert result.shape == FLOOR.shape
    assert result[-3, 3, 0] - result[-3, 3, 1] > 0.5 and np.allclose(result[:100], FLOOR[:100], atol=0.01)


def test_shadow_darkens_ground_and_grows_with_strength():
    where = PLAIN._replace(x=0.5, y=0.5, size=0.5, light="above")
    beneath = np.s_[228:236, 180:220]
    tones = [float(composed(FLOOR, where._replace(shadow=share))[beneath].mean()) for share in (0, 0.4, 0.9)]
    assert tones[0] == pytest.approx(0.62, abs=0.01)
    assert tones[0] > tones[1] + 0.03 > tones[2] + 0.06
    far = composed(FLOOR, where._replace(shadow=0.9))[:60]
    assert np.allclose(far, FLOOR[:60], atol=0.01)


@pytest.mark.parametrize("ground", ["ground", "wall"])
def test_shadow_falls_away_from_light(ground: str):
    def side_tones(light: str) -> tuple[float, float]:
        where = PLAIN._replace(x=0.5, y=0.5, size=0.5, shadow=0.9, light=light, shadow_on=ground)
        result = composed(FLOOR, where).mean(axis=2)
        clear = composed(FLOOR, where._replace(shadow=0.0)).mean(axis=2)
        lost = clear - result
        return float(lost[:, :200].sum()), float(lost[:, 200:].sum())

    left, right = side_tones("left")
    assert right > 1.15 * left
    left, right = side_tones("right")
    assert left > 1.15 * right


def test_light_direction_is_the_brighter_side():
    ramp = np.linspace(0.2, 0.95, 400, dtype=np.float32)[None, :, None] * np.ones((300, 1, 3), np.float32)
    where = PLAIN._replace(x=0.5, y=0.5, size=0.5, shadow=0.9, light="auto")
    for scene, named in ((ramp, "right"), (ramp[:, ::-1].copy(), "left")):
        assert np.allclose(composed(scene, where), composed(scene, where._replace(light=named)), atol=0.02)


def test_colour_match_moves_colours_towards_the_scene():
    blue = np.broadcast_to(floats([0.25, 0.35, 0.7]), FLOOR.shape).copy()
    grey = disc((0.6, 0.6, 0.6))
    middle = np.s_[140:160, 190:210]
    shades = [
        composed(blue, PLAIN._replace(x=0.5, y=0.5, colour_match=share), grey)[middle].mean(axis=(0, 1))
        for share in (0.0, 0.5, 1.0)
    ]
    casts = [float(shade[2] - shade[0]) for shade in shades]
    assert casts[0] == pytest.approx(0, abs=0.01) and casts[0] + 0.03 < casts[1] < casts[2] - 0.02
    assert shades[0].mean() > shades[2].mean()  # and darker, as the scene is
    assert np.linalg.norm(shades[2] - 0.6) < np.linalg.norm(floats([0.25, 0.35, 0.7]) - 0.6)


def test_blend_softens_the_edge():
    where = PLAIN._replace(x=0.5, y=0.5, size=0.5)
    steps = [float(np.abs(np.diff(composed(FLOOR, where._replace(blend=share))[150, :, 1])).max()) for share in (0.0, 1.0)]
    assert steps[1] < 0.9 * steps[0]


def test_grain_matches_the_scene():
    noisy = np.clip(FLOOR + np.random.default_rng(1).normal(0, 0.03, FLOOR.shape).astype(np.float32), 0, 1)
    where = PLAIN._replace(x=0.5, y=0.5, size=0.5)
    middle = np.s_[135:165, 185:215, 0]
    assert composed(noisy, where)[middle].std() > 0.008 > composed(FLOOR, where)[middle].std() * 3


def test_alpha_channel_is_used_unchanged():
    y, x = np.mgrid[-1:1:90j, -1:1:120j]
    picture = np.dstack([np.full((90, 120), c, np.float32) for c in (0.1, 0.6, 0.2)] + [(np.abs(x) + np.abs(y)) < 0.8])
    pixels, alpha = decode(png(picture), 120)
    assert alpha is not None
    product = cut_out(pixels, alpha, seeded_generator(1), None)
    assert product.method == "alpha"
    assert product.alpha.shape == pytest.approx((72, 96), abs=3)
    assert product.alpha.mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("name", ["wooden_bird", "fig_bowl", "coffee"])
@pytest.mark.parametrize(("weights", "method"), [(None, "grabcut"), (read(SUBJECT), "network")], ids=["grabcut", "network"])
def test_subject_of_a_photograph_is_cut_out(name: str, weights: bytes | None, method: str):
    pixels, alpha = decode(photo(name), 480)
    product = cut_out(pixels, alpha, seeded_generator(1), weights)
    assert product.method == method
    assert (product.alpha > 0.95).mean() > 0.85 * (product.alpha > 0.05).mean()  # firm, with a narrow edge
    assert product.alpha[0, 0] < 0.2 and product.alpha[-1, -1] < 0.2
    assert 0.15 < product.alpha.mean() < 0.85
    assert product.alpha.size < 0.85 * pixels.shape[0] * pixels.shape[1]


@pytest.mark.parametrize("weights", [None, read(SUBJECT)], ids=["grabcut", "network"])
def test_photograph_without_subject_becomes_a_card(weights: bytes | None):
    to_uniform = np.full((120, 160, 3), 0.5, np.float32)
    product = cut_out(to_uniform, None, seeded_generator(1), weights)
    assert product.method == "card" and product.alpha.min() == 1
    assert product.colour[0].min() > 0.9  # a white border


@pytest.mark.parametrize("name", ["mountain_path", "stream", "brushes"])
def test_photograph_with_an_uncertain_subject_becomes_a_card(name: str):
    pixels, alpha = decode(photo(name), 480)
    assert cut_out(pixels, alpha, seeded_generator(1), read(SUBJECT)).method == "card"


def test_several_products_are_placed_side_by_side():
    one = png(np.dstack([disc().colour, disc().alpha]))
    two = png(np.dstack([disc((0.1, 0.1, 0.9)).colour, disc().alpha]))
    result = render_image(
        "studio_composite",
        products=[one, two],
        models=[png(FLOOR)],
        x=0.5,
        y=0.5,
        shadow=0.0,
        colour_match=0.0,
    )
    red = np.nonzero(result[:, :, 0] - result[:, :, 2] > 0.4)
    blue = np.nonzero(result[:, :, 2] - result[:, :, 0] > 0.4)
    assert np.mean(red[1]) + 60 < np.mean(blue[1]) and len(red[0]) > 2000 < len(blue[0])


def test_product_and_model_are_composed_before_painting():
    alone = render_image("gouache", models=[photo("autumn_hill")])
    both = render_image("gouache", models=[photo("autumn_hill")], products=[photo("fig_bowl")])
    change = np.abs(alone - both).mean(axis=2)
    height, width = change.shape
    near = change[int(0.6 * height) : int(0.8 * height), int(0.56 * width) : int(0.76 * width)]
    assert near.mean() > 0.2 and change[: height // 3, : width // 3].mean() < 0.08


def test_backdrops_centre_the_product_and_use_the_colour():
    product = png(np.dstack([disc().colour, disc().alpha]))
    result = render_image(
        "studio_sweep",
        products=[product],
        colour_from_product=False,
        backdrop="#3355aa",
        light="softbox",
        format="square",
    )
    red = np.nonzero(result[:, :, 0] - result[:, :, 1] > 0.3)
    assert result.shape == (480, 480, 3) and np.mean(red[1]) == pytest.approx(240, abs=12)
    corner = result[:80, :80].mean(axis=(0, 1))
    assert corner[2] > corner[1] > corner[0]
    white = render_image("studio_white", products=[product], format="landscape")
    assert white.shape == (384, 480, 3) and white[:30].min() > 0.97


def test_backdrop_shows_the_scene_out_of_focus():
    product = png(np.dstack([disc().colour, disc().alpha]))
    result = render_image("studio_plinth", products=[product], models=[photo("autumn_hill")], light="softbox")
    dark = render_image("studio_sweep", products=[product, photo("coffee")], models=[photo("room", 200)])
    assert dark.std() > 0.1 and dark[:100].mean() > 0.1
    sharp = decode_array(photo("autumn_hill"))[:, :, :3]
    wall = result[40:200, 40:340]
    assert np.abs(np.diff(wall, axis=1)).mean() < 0.5 * np.abs(np.diff(sharp, axis=1)).mean()
    assert wall.std() > 0.05
    assert BY_NAME["studio_plinth"].needs_product and not BY_NAME["studio_plinth"].needs_model
