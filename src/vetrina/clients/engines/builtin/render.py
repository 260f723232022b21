"""Rendering of one request: pure and synchronous, run in an isolated child process.

Everything is imported at the start: the child has no access to files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.ma  # np.percentile imports it when first called, too late for the child
from numpy.random import Generator

from vetrina.clients.engines.base import BadParameter, Style, validate
from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.catalogue import BY_NAME
from vetrina.clients.engines.builtin.drawing import ink, pencil
from vetrina.clients.engines.builtin.flat import flat_colour, glass, low_poly, mosaic
from vetrina.clients.engines.builtin.painting import brush_dabs, oil, watercolour
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.photographs import Photographs, inputs_per_image
from vetrina.clients.engines.builtin.printing import linocut, riso
from vetrina.clients.engines.builtin.progress import Report, StageProgress
from vetrina.clients.engines.builtin.raster.image_io import MIME, encode, pad_to_minimum, size_of
from vetrina.clients.engines.builtin.rng import seeded_generator
from vetrina.clients.engines.builtin.scenes import backdrops, composite
from vetrina.clients.engines.builtin.scenes.cutout import Cutout
from vetrina.core.isolation.run import Reject

_ = numpy.ma
cv2.setNumThreads(1)  # the same sums in the same order: a seed gives the same bytes again

PhotoRenderer = Callable[[Pixels, ParameterValues, Generator, StageProgress], Pixels]
BackdropRenderer = Callable[[list[Cutout], Pixels | None, ParameterValues, Generator, StageProgress], Pixels]
Inputs = Callable[[list[bytes], list[bytes]], list[tuple[list[bytes], bytes | None]]]
RenderOne = Callable[[str, Photographs, ParameterValues, StageProgress], Pixels]

MAX_IMAGES = 4

PHOTO_STYLES: dict[str, PhotoRenderer] = {
    "watercolour": watercolour.watercolour,
    "oil": oil.oil,
    "gouache": brush_dabs.gouache,
    "pastel": brush_dabs.pastel,
    "pointillism": brush_dabs.pointillism,
    "pencil": pencil.pencil,
    "charcoal": pencil.charcoal,
    "hatching": ink.hatching,
    "stipple": ink.stipple,
    "engraving": ink.engraving,
    "risograph": riso.risograph,
    "pop_art": riso.pop_art,
    "comic": flat_colour.comic,
    "poster": flat_colour.poster,
    "linocut": linocut.linocut,
    "cyanotype": linocut.cyanotype,
    "cut_paper": flat_colour.cut_paper,
    "mosaic": mosaic.mosaic,
    "stained_glass": glass.stained_glass,
    "low_poly": low_poly.low_poly,
}
BACKDROP_STYLES: dict[str, BackdropRenderer] = {
    "studio_sweep": backdrops.sweep,
    "studio_plinth": backdrops.plinth,
    "studio_white": backdrops.catalogue_page,
}
COMPOSITE_STYLE = "studio_composite"


def render(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Make the pictures of one request in a style of this engine; see `render_all`."""
    return render_all(payload, report, BY_NAME, _render_one)


def render_all(
    payload: dict[str, Any],
    report: Report,
    styles: dict[str, Style],
    render_one: RenderOne,
    inputs: Inputs | None = None,
) -> dict[str, Any]:
    """Make the pictures of one request.

    `payload` holds style, parameters, seed, products and models (encoded images), and networks (weights by name). The
    result holds `images` (JPEG), `mime` and `notes`. With products and models there is one picture for each model,
    with every product in it; with either alone one for each photograph (backdrops put all products in
    one); `inputs` decides otherwise. Raises Reject with words for the user.
    """
    style = styles.get(payload["style"])
    if style is None:
        raise Reject("unknown_style", "There is no such style.")
    try:
        parameters = ParameterValues(validate(style, payload["parameters"]))
    except BadParameter as error:
        raise Reject("bad_parameter", error.message) from None
    products, models = list(payload["products"]), list(payload["models"])
    _require_inputs(style.title, style.needs_product, style.needs_model, products, models)
    seed = int(payload["seed"])
    jobs = inputs(products, models) if inputs else inputs_per_image(products, models, together=style.name in BACKDROP_STYLES)
    if len(jobs) > MAX_IMAGES:
        raise Reject("too_many", f"At most {MAX_IMAGES} pictures are made at a time.")
    images: list[bytes] = []
    notes: dict[str, Any] = {"seed": seed, "sizes": [], "cutouts": []}
    size, networks = parameters.integer("size"), dict(payload.get("networks", {}))
    for index, (job_products, model) in enumerate(jobs):
        progress = StageProgress(report, index / len(jobs), (index + 1) / len(jobs))
        cv2.setRNGSeed(seed & 0x7FFF_FFFF)  # GrabCut draws from OpenCV's own generator
        photographs = Photographs(job_products, model, size, seeded_generator(seed), networks, notes)
        picture = render_one(style.name, photographs, parameters, progress)
        if not np.isfinite(picture).all():
            raise FloatingPointError(f"{style.name} left holes in its picture")
        progress(0.97, "Saving the picture")
        images.append(encode(picture))
        notes["sizes"].append([picture.shape[1], picture.shape[0]])
    report(1.0, "Done")
    return {"images": images, "mime": MIME, "notes": notes}


def _require_inputs(title: str, product: bool, model: bool, products: list[bytes], models: list[bytes]) -> None:
    if product and not products:
        raise Reject("needs_product", f"{title} needs a photograph of a product.")
    if model and not models:
        raise Reject("needs_model", f"{title} needs a photograph of a model or a scene.")
    if not products and not models:
        raise Reject("needs_picture", f"{title} needs a photograph to work from.")


def _render_one(name: str, photographs: Photographs, parameters: ParameterValues, progress: StageProgress) -> Pixels:
    progress(0.0, "Opening the photographs")
    rng = photographs.rng
    if name in PHOTO_STYLES:
        composed = bool(photographs.products) and photographs.model is not None
        photo = photographs.photo_or_composition(progress.part(0.03, 0.42))
        height, width = size_of(photo)
        rest = progress.part(0.42 if composed else 0.04, 0.96)
        return PHOTO_STYLES[name](pad_to_minimum(photo), parameters, rng, rest)[:height, :width]
    scene = photographs.scene(enlarge=True)
    cutouts = photographs.cut_outs(progress.part(0.04, 0.35))
    if name == COMPOSITE_STYLE and scene is not None:
        placement = composite.Placement(
            x=parameters.number("x"),
            y=parameters.number("y"),
            size=parameters.number("product_size"),
            shadow=parameters.number("shadow"),
            colour_match=parameters.number("colour_match"),
            blend=parameters.number("blend"),
            light=parameters.choice("light"),
            shadow_on=parameters.choice("shadow_on"),
        )
        return composite.place_all(scene, cutouts, placement, rng, progress.part(0.36, 0.96))
    return BACKDROP_STYLES[name](cutouts, scene, parameters, rng, progress.part(0.36, 0.96))
