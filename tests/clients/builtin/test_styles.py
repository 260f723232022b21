"""Every built-in style on real photographs: repeatable, told step by step, unlike input and others."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import pyvips

from scripts.previews import HEIGHT, PREVIEWS, WIDTH, preview
from tests.clients.builtin.helpers import SIZE, Picture, decode_array, photo, png, render_default, render_image
from vetrina.clients.engines.base import Value, validate
from vetrina.clients.engines.builtin.catalogue import BY_NAME, STYLES, preview_path
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster.image_io import decode
from vetrina.clients.engines.builtin.render import BACKDROP_STYLES, COMPOSITE_STYLE, PHOTO_STYLES
from vetrina.clients.engines.builtin.rng import seeded_generator
from vetrina.clients.engines.neural import catalogue as neural

NAMES = [style.name for style in STYLES]


def test_every_style_has_renderer_preview_and_defaults():
    assert len(set(NAMES)) == len(NAMES) >= 15
    assert set(NAMES) == {*PHOTO_STYLES, *BACKDROP_STYLES, COMPOSITE_STYLE} == set(PREVIEWS) - set(neural.BY_NAME)
    for style in STYLES:
        assert len(style.parameters) - 1 >= 2, style.name
        assert ("no AI" in style.description) != ("neural network" in style.description) == style.needs_product
        assert validate(style, {}) == {parameter.name: parameter.default for parameter in style.parameters}
        validate(style, validate(style, {}))  # defaults are themselves in range


def render_array(name: str, seed: int) -> Picture:
    """The style on a small cat, before it is encoded."""
    pixels, _ = decode(photo("cat", 240), 240)
    parameters = ParameterValues(validate(BY_NAME[name], {}))
    return PHOTO_STYLES[name](pixels, parameters, seeded_generator(seed), StageProgress(lambda fraction, step: None))


@pytest.mark.parametrize("name", sorted(PHOTO_STYLES))
def test_seed_determines_the_picture(name: str):
    first = render_array(name, 1)
    assert (render_array(name, 1) == first).all()
    assert (render_array(name, 2) != first).mean() > 0.01


@pytest.mark.parametrize("name", sorted(PHOTO_STYLES))
def test_output_is_float32_between_0_and_1(name: str):
    picture = render_array(name, 3)
    assert picture.dtype == np.float32 and picture.shape == (160, 240, 3)
    assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1
    assert picture.std() > 0.03


@pytest.mark.parametrize("name", ["linocut", "low_poly", COMPOSITE_STYLE, *BACKDROP_STYLES])
def test_seed_determines_the_bytes(name: str):
    assert render_default(name, repeat=1)[0] == render_default(name)[0]


@pytest.mark.parametrize("name", NAMES)
def test_progress_rises_to_1_in_named_steps(name: str):
    fractions, steps = zip(*render_default(name)[1], strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1.0 and min(fractions) >= 0
    assert len(set(steps)) > 4
    assert all(step and step[0].isupper() and len(step) < 60 for step in steps)


@pytest.mark.parametrize("name", NAMES)
def test_output_is_a_jpeg_of_requested_size_without_metadata(name: str):
    image = pyvips.Image.new_from_buffer(render_default(name)[0], "")
    assert max(image.width, image.height) == SIZE
    assert image.bands == 3 and image.get("vips-loader") == "jpegload_buffer"
    assert not [field for field in image.get_fields() if "exif" in field or "icc" in field or "xmp" in field]


def traits(picture: Picture) -> Picture:
    """Measures of a picture's manner: colourfulness, tone, contrast and edges at three scales."""
    grey = picture.mean(axis=2)
    spread = np.ptp(picture, axis=2)
    values = [spread.mean(), spread.std(), grey.mean(), grey.std(), (grey < 0.12).mean(), (grey > 0.9).mean()]
    for gap in (1, 3, 8):
        step = np.abs(grey[:, gap:] - grey[:, :-gap])
        values += [step.mean(), (step > 0.25).mean(), (step < 0.01).mean()]
    return np.array(values, np.float32)


def test_every_style_differs_from_photograph_and_other_styles():
    displayed = {name: decode_array(render_default(name)[0]) for name in PHOTO_STYLES}
    original = decode_array(photo("dogs"))[:, :, :3]
    displayed["the photograph"] = original
    measured = {name: traits(picture) for name, picture in displayed.items()}
    for one, other in itertools.combinations(displayed, 2):
        apart = np.abs(measured[one] - measured[other]).sum()
        differ = float(np.abs(displayed[one] - displayed[other]).mean())
        assert apart > 0.15 and differ > 0.025, (one, other, apart, differ)


def test_motif_stays_recognisable():
    """Coarse tones keep to the photograph's; pop art repeats it in panels and is left out."""

    def coarse(picture: Picture) -> Picture:
        grey = picture[:, :, :3].mean(axis=2)
        return np.add.reduceat(np.add.reduceat(grey, range(0, 480, 24), 0), range(0, 384, 24), 1).ravel()

    original = coarse(decode_array(photo("dogs")))
    for name in PHOTO_STYLES.keys() - {"pop_art"}:
        alike = np.corrcoef(original, coarse(decode_array(render_default(name)[0])))[0, 1]
        assert alike > 0.75, (name, alike)


def odd_pictures() -> dict[str, tuple[bytes, tuple[int, int]]]:
    """Encoded oddities and the width and height that come out."""
    x = np.linspace(0, 1, 200, dtype=np.float32)[None, :] * np.ones((150, 1), np.float32)
    clear = np.dstack([x, x, 1 - x, (x > 0.5).astype(np.float32)])
    return {
        "one pixel": (png(np.full((1, 1, 3), 0.4, np.float32)), (64, 64)),
        "a strip": (
            png(np.repeat(np.linspace(0, 1, 3000, dtype=np.float32)[None, :, None], 20, 0) * [1, 0.5, 0.2]),
            (480, 3),
        ),
        "black": (png(np.zeros((60, 90, 3), np.float32)), (288, 192)),
        "grey": (png(x), (480, 360)),
        "alpha": (png(clear), (480, 360)),
    }


def extreme(name: str, highest: bool) -> dict[str, Value]:
    """Every number of a style at its lowest or highest, every word the first or last."""
    parameters: dict[str, Value] = {}
    for parameter in BY_NAME[name].parameters:
        if parameter.kind in ("number", "integer") and parameter.name != "size":
            bound = (parameter.maximum if highest else parameter.minimum) or 0
            parameters[parameter.name] = int(bound) if parameter.kind == "integer" else bound
        elif parameter.kind == "choice":
            parameters[parameter.name] = parameter.choices[-1 if highest else 0]
    return parameters


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "highest"), [("one pixel", False), ("a strip", True)])
def test_odd_images_render_with_extreme_parameters(name: str, kind: str, highest: bool):
    data, (width, height) = odd_pictures()[kind]
    wants = BY_NAME[name]
    products = [data] if wants.needs_product else []
    models = [photo("cat")] if wants.needs_model else [] if wants.needs_product else [data]
    result = render_image(name, products=products, models=models, **extreme(name, highest))
    if name in PHOTO_STYLES:
        assert result.shape == (height, width, 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", sorted(PHOTO_STYLES))
def test_hard_edges_and_flat_areas_give_finite_pixels(name: str):
    """Overshoot of filters beside black and white squares must not become negative, then undefined."""
    squares = np.indices((160, 240)) // 40
    board = (squares.sum(axis=0) % 2).astype(np.float32)[:, :, None].repeat(3, axis=2)
    parameters = ParameterValues(validate(BY_NAME[name], {**extreme(name, True), "size": 480}))
    silent = StageProgress(lambda fraction, step: None)
    assert np.isfinite(PHOTO_STYLES[name](board, parameters, seeded_generator(1), silent)).all()


@pytest.mark.parametrize("kind", ["grey", "alpha", "black"])
@pytest.mark.parametrize("name", ["watercolour", "risograph", "studio_plinth"])
def test_grey_and_transparent_images_render(name: str, kind: str):
    data, (width, height) = odd_pictures()[kind]
    result = render_image(name, products=[data])
    assert result.shape == ((480, 384, 3) if name in BACKDROP_STYLES else (height, width, 3))


def test_every_style_has_a_small_preview():
    for name in NAMES:
        data = preview_path(name).read_bytes()
        image = pyvips.Image.new_from_buffer(data, "")
        assert (image.width, image.height) == (WIDTH, HEIGHT) == (480, 600)
        assert image.get("vips-loader") == "webpload_buffer" and len(data) < 60_000


@pytest.mark.parametrize("name", ["poster", "studio_white"])
def test_stored_preview_matches_the_renderer(name: str):
    """Close rather than equal: another processor may round otherwise."""
    renewed = decode_array(preview(name, PREVIEWS[name]))
    stored = decode_array(preview_path(name).read_bytes())
    assert np.abs(renewed - stored).mean() < 0.02
