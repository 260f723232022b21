"""Rendering of one request by networks: pure and synchronous, run in an isolated child process.

Everything is imported at the start: the child has no access to files, and gets the weights with the request.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.painting import oil
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.photographs import Photographs, decoded
from vetrina.clients.engines.builtin.progress import Report, StageProgress
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, over_background, pad_to_minimum, size_of
from vetrina.clients.engines.builtin.render import render_all
from vetrina.clients.engines.networks import models
from vetrina.clients.engines.networks.faces import faces
from vetrina.clients.engines.networks.painted import painted
from vetrina.clients.engines.networks.style_transfer import in_style, style_of
from vetrina.clients.engines.neural.catalogue import BY_NAME, PAINTED, STYLE_TRANSFER

FACE_SHARE = 0.35
"""How much of the style's strength is left on a protected face."""
STYLE_SIDE = 512


def render(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Make the pictures of one request in a style of this engine; payload and result are those of `render_all`.

    `style_transfer` makes a picture of each product in the style of each model.
    """
    pairs = payload["style"] == STYLE_TRANSFER
    return render_all(payload, report, BY_NAME, _render_one, inputs=_pairs if pairs else None)


def _pairs(products: list[bytes], models: list[bytes]) -> list[tuple[list[bytes], bytes | None]]:
    return [([product], model) for model in models for product in products]


def _render_one(name: str, photographs: Photographs, parameters: ParameterValues, progress: StageProgress) -> Pixels:
    progress(0.0, "Opening the photographs")
    if name == STYLE_TRANSFER:
        return _style_transfer(photographs, parameters, progress)
    photo = photographs.photo_or_composition(progress.part(0.02, 0.3))
    height, width = size_of(photo)
    photo = pad_to_minimum(photo)
    progress(0.32, "Painting")
    result = painted(photographs.networks[models.PAINTED.name], photo, PAINTED[name])
    return _finished(photo, result, parameters.number("strength"), photographs, parameters, progress)[:height, :width]


def _style_transfer(photographs: Photographs, parameters: ParameterValues, progress: StageProgress) -> Pixels:
    """Return the product's photograph in the style of the other picture, with brush strokes over it."""
    networks, strength, brush = photographs.networks, parameters.number("strength"), parameters.number("brush")
    photo = over_background(*decoded(photographs.products[0], photographs.size), (1, 1, 1))
    height, width = size_of(photo)
    photo = pad_to_minimum(photo)
    assert photographs.model is not None  # the style needs one
    progress(0.08, "Reading the style")
    picture = pad_to_minimum(over_background(*decoded(photographs.model, STYLE_SIDE), (1, 1, 1)))
    reader = networks[models.STYLE_READER.name]
    style = style_of(reader, photo) * np.float32(1 - strength) + style_of(reader, picture) * np.float32(strength)
    progress(0.2, "Painting")
    result = in_style(networks[models.STYLE_PAINTER.name], photo, style)
    if brush > 0:
        strokes = ParameterValues({"brush": 0.8, "colour": 0.2, "impasto": 0.6})
        over = oil.oil(result, strokes, photographs.rng, progress.part(0.5, 0.85))
        result = mix(result, over, brush)
    return _finished(photo, result, 1.0, photographs, parameters, progress)[:height, :width]


def _finished(
    photo: Pixels,
    result: Pixels,
    strength: float,
    photographs: Photographs,
    parameters: ParameterValues,
    progress: StageProgress,
) -> Pixels:
    """Return the painting as strong as asked for, weaker on faces, in its own or the photograph's colours."""
    progress(0.86, "Finishing")
    if parameters.boolean("keep_colours"):
        result = _with_colours_of(photo, result)
    share = np.full(size_of(photo), strength, np.float32)
    if parameters.boolean("protect_faces"):
        boxes = faces(photographs.networks[models.FACES.name], photo)
        photographs.notes.setdefault("faces", []).append(len(boxes))
        share *= 1 - np.float32(1 - FACE_SHARE) * _face_mask(size_of(photo), boxes)
    return np.clip(mix(photo, result, share), 0, 1)


def _with_colours_of(photo: Pixels, result: Pixels) -> Pixels:
    """Return the result's lightness in the photograph's colours."""
    both = colour.lab(photo)
    both[:, :, 0] = colour.lab(result)[:, :, 0]
    return colour.from_lab(both)


def _face_mask(size: tuple[int, int], boxes: list[tuple[float, float, float, float]]) -> Pixels:
    """Return 1 on faces, fading out around them."""
    height, width = size
    mask = np.zeros(size, np.float32)
    for left, top, wide, tall in boxes:
        centre = (round((left + wide / 2) * width), round((top + tall / 2) * height))
        axes = (max(round(0.6 * wide * width), 1), max(round(0.68 * tall * height), 1))
        face = np.zeros(size, np.float32)
        cv2.ellipse(face, centre, axes, 0, 0, 360, (1.0,), -1)
        mask = np.maximum(mask, blur(face, max(0.12 * tall * height, 1.0)))
    return mask
