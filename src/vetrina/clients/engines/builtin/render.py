"""From a request to finished pictures: pure and synchronous, made to run in a confined child process.

Everything that it needs is imported here, at the start: the child has no files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.ma  # np.percentile imports it when first called, too late for the child
import pyvips

from vetrina.clients.engines.base import BadParameter, validate
from vetrina.clients.engines.builtin.catalogue import BY_NAME
from vetrina.clients.engines.builtin.drawing import ink, pencil
from vetrina.clients.engines.builtin.flat import flat_colour as flat
from vetrina.clients.engines.builtin.flat import glass, mosaic
from vetrina.clients.engines.builtin.flat import low_poly as lowpoly
from vetrina.clients.engines.builtin.painting import brush_dabs as dabs
from vetrina.clients.engines.builtin.painting import oil, watercolour
from vetrina.clients.engines.builtin.printing import linocut, riso
from vetrina.clients.engines.builtin.progress import Knobs, Report, Steps
from vetrina.clients.engines.builtin.raster.image_io import MIME, Pixels, decode, encode, flatten, pad, size_of
from vetrina.clients.engines.builtin.rng import Chance, chance
from vetrina.clients.engines.builtin.scenes import backdrops as studio
from vetrina.clients.engines.builtin.scenes import composite as compose
from vetrina.clients.engines.builtin.scenes.cutout import Cutout, cut_out
from vetrina.core.isolation.run import Refuse

_ = numpy.ma
cv2.setNumThreads(1)  # the same sums in the same order: a seed gives the same bytes again

Paint = Callable[[Pixels, Knobs, Chance, Steps], Pixels]
Room = Callable[[list[Cutout], Pixels | None, Knobs, Chance, Steps], Pixels]

MOST_PICTURES = 4

PAINTS: dict[str, Paint] = {
    "watercolour": watercolour.watercolour,
    "oil": oil.oil,
    "gouache": dabs.gouache,
    "pastel": dabs.pastel,
    "pointillism": dabs.pointillism,
    "pencil": pencil.pencil,
    "charcoal": pencil.charcoal,
    "hatching": ink.hatching,
    "stipple": ink.stipple,
    "engraving": ink.engraving,
    "risograph": riso.risograph,
    "pop_art": riso.pop_art,
    "comic": flat.comic,
    "poster": flat.poster,
    "linocut": linocut.linocut,
    "cyanotype": linocut.cyanotype,
    "cut_paper": flat.cut_paper,
    "mosaic": mosaic.mosaic,
    "stained_glass": glass.stained_glass,
    "low_poly": lowpoly.low_poly,
}
ROOMS: dict[str, Room] = {
    "studio_sweep": studio.sweep,
    "studio_plinth": studio.plinth,
    "studio_white": studio.catalogue_page,
}
IN_A_SCENE = "studio_composite"


def render(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Make the pictures of one request.

    `payload` holds style, parameters, seed, products and models (encoded images). The answer holds
    `images` (JPEG), `mime` and `notes`. With products and models there is one picture for each model,
    with every product in it; with either alone one for each photograph (the rooms put all products in
    one). Raises Refuse for what cannot be made, with words for the user.
    """
    style = BY_NAME.get(payload["style"])
    if style is None:
        raise Refuse("unknown_style", "There is no such style.")
    try:
        knobs = Knobs(validate(style, payload["parameters"]))
    except BadParameter as bad:
        raise Refuse("bad_parameter", bad.message) from None
    products, models = list(payload["products"]), list(payload["models"])
    _check(style.title, style.needs_product, style.needs_model, products, models)
    seed = int(payload["seed"])
    jobs = _jobs(style.name, products, models)
    if len(jobs) > MOST_PICTURES:
        raise Refuse("too_many", f"At most {MOST_PICTURES} pictures are made at a time.")
    images: list[bytes] = []
    notes: dict[str, Any] = {"seed": seed, "sizes": [], "cutouts": []}
    for index, (mine, model) in enumerate(jobs):
        step = Steps(report, index / len(jobs), (index + 1) / len(jobs))
        picture = _picture(style.name, mine, model, knobs, seed, step, notes)
        if not np.isfinite(picture).all():
            raise FloatingPointError(f"{style.name} left holes in its picture")
        step(0.97, "Saving the picture")
        images.append(encode(picture))
        notes["sizes"].append([picture.shape[1], picture.shape[0]])
    report(1.0, "Done")
    return {"images": images, "mime": MIME, "notes": notes}


def _check(title: str, product: bool, model: bool, products: list[bytes], models: list[bytes]) -> None:
    if product and not products:
        raise Refuse("needs_product", f"{title} needs a photograph of a product.")
    if model and not models:
        raise Refuse("needs_model", f"{title} needs a photograph of a model or a scene.")
    if not products and not models:
        raise Refuse("needs_picture", f"{title} needs a photograph to work from.")


def _jobs(name: str, products: list[bytes], models: list[bytes]) -> list[tuple[list[bytes], bytes | None]]:
    """What each picture is made of: some products and perhaps a model."""
    if name in ROOMS:
        scenes: list[bytes | None] = [*models] or [None]
        return [(products, scene) for scene in scenes]
    if products and models:
        return [(products, model) for model in models]
    alone: list[tuple[list[bytes], bytes | None]] = [([product], None) for product in products]
    return alone or [([], model) for model in models]


def _picture(
    name: str,
    products: list[bytes],
    model: bytes | None,
    knobs: Knobs,
    seed: int,
    step: Steps,
    notes: dict[str, Any],
) -> Pixels:
    rng = chance(seed)
    cv2.setRNGSeed(seed & 0x7FFF_FFFF)  # GrabCut draws from OpenCV's own generator
    size = knobs.whole("size")
    if name in PAINTS:
        return _painted(name, products, model, knobs, rng, step, notes)
    step(0.0, "Opening the photographs")
    scene = _whole(model, size, pad_it=True) if model is not None else None
    cutouts = _cut(products, size, rng, step.part(0.04, 0.35), notes)
    if name == IN_A_SCENE and scene is not None:
        where = compose.Placement(
            x=knobs.number("x"),
            y=knobs.number("y"),
            size=knobs.number("product_size"),
            shadow=knobs.number("shadow"),
            colour_match=knobs.number("colour_match"),
            blend=knobs.number("blend"),
            light=knobs.word("light"),
            shadow_on=knobs.word("shadow_on"),
        )
        return compose.place_all(scene, cutouts, where, rng, step.part(0.36, 0.96))
    return ROOMS[name](cutouts, scene, knobs, rng, step.part(0.36, 0.96))


def _painted(
    name: str,
    products: list[bytes],
    model: bytes | None,
    knobs: Knobs,
    rng: Chance,
    step: Steps,
    notes: dict[str, Any],
) -> Pixels:
    """One photograph in this manner; of a product and a model the composition of both."""
    size = knobs.whole("size")
    step(0.0, "Opening the photographs")
    if model is not None and products:
        scene = _whole(model, size)
        cutouts = _cut(products, size, rng, step.part(0.03, 0.2), notes)
        photo = compose.place_all(scene, cutouts, compose.Placement(), rng, step.part(0.2, 0.42))
        rest = step.part(0.42, 0.96)
    else:
        photo = _whole(model if model is not None else products[0], size)
        rest = step.part(0.04, 0.96)
    height, width = size_of(photo)
    return PAINTS[name](pad(photo), knobs, rng, rest)[:height, :width]


def _cut(products: list[bytes], size: int, rng: Chance, step: Steps, notes: dict[str, Any]) -> list[Cutout]:
    cutouts: list[Cutout] = []
    for index, data in enumerate(products):
        step(index / len(products), "Cutting out the product")
        photo, alpha = _open(data, min(size, 1600))
        cutouts.append(cut_out(photo, alpha, rng))
        notes["cutouts"].append(cutouts[-1].how)
    return cutouts


def _whole(data: bytes, size: int, *, pad_it: bool = False) -> Pixels:
    photo, alpha = _open(data, size)
    photo = flatten(photo, alpha, (0.985, 0.98, 0.97))
    return pad(photo) if pad_it else photo


def _open(data: bytes, size: int) -> tuple[Pixels, Pixels | None]:
    try:
        return decode(data, size)
    except pyvips.Error:
        raise Refuse("unreadable", "One of the photographs cannot be read.") from None
