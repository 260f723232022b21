"""Oil paint: bristle strokes from broad to fine along the flow, with impasto lighting."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures
from vetrina.clients.engines.builtin.raster.image_io import blur, from_bytes, reference_scale, size_of, to_bytes
from vetrina.clients.engines.builtin.raster.strokes import (
    SHIFT,
    Strokes,
    normals,
    scatter,
    select,
    trace,
    trim_to_colour,
    values_at,
)
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow, bias_towards, estimate_flow
from vetrina.clients.engines.builtin.rng import fractal_noise

STAGE_NAMES = ["Blocking in with the broadest brush", "Middle strokes", "Small strokes", "Details"]


def oil(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render Hertzmann's layers (paint only where the canvas still differs) with drawn bristles and impasto."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    brush = parameters.number("brush")
    progress(0.0, "Reading the picture's directions")
    picture = colour.saturate(colour.contrast(photo, 0.25), 1 + 0.5 * parameters.number("colour"))
    field = bias_towards(estimate_flow(blur(picture, 1.2 * u), 5 * u), 25, 0.12)
    progress(0.08, "Toning the canvas")
    ground = floats([0.36, 0.25, 0.17]) * np.float32(0.6) + blur(picture, 60 * u) * np.float32(0.4)
    canvas = np.dstack([to_bytes(ground), np.full((height, width), 60, np.uint8)])
    radii = [30.0, 15.0, 7.5, 3.8]
    for index, radius in enumerate(radii):
        progress(0.12 + 0.18 * index, STAGE_NAMES[index])
        _layer(canvas, picture, field, max(radius * brush * u, 1.6), index, rng)
    progress(0.84, "Letting the light rake over the paint")
    return _light_impasto(canvas, parameters.number("impasto"), rng, u)


def _layer(canvas: Bytes, picture: Pixels, field: Flow, radius: float, index: int, rng: Generator) -> None:
    """Paint with one brush: strokes where the canvas differs from the picture at this brush's scale."""
    height, width = size_of(picture)
    reference = blur(picture, radius * 0.45)
    starts = scatter(rng, height, width, radius * (1.15 if index else 0.95))
    if index:
        # signed before it is blurred, so that the bristles' own unevenness does not count as an error
        error = np.abs(blur(reference - from_bytes(canvas[:, :, :3]), radius * 0.6)).max(axis=2)
        detail = blur(np.abs(picture - blur(picture, radius)).max(axis=2), radius * 0.8)
        starts = starts[values_at(error + detail * np.float32(0.6), starts) > (0, 0.045, 0.055, 0.062)[index]]
    if not len(starts):
        return
    points = 13 if index < 2 else 9
    strokes = trace(field, starts, radius * (11, 10, 9, 8)[index], points, 0.45)
    strokes = trim_to_colour(strokes, reference, (0.2, 0.13, 0.1, 0.1)[index])
    long_enough = strokes.used >= (3, 3, 2, 2)[index]
    strokes, starts = select(strokes, long_enough), starts[long_enough]
    paint = values_at(reference, starts)
    paint = paint * (1 + rng.normal(0, 0.045, (len(paint), 1)).astype(np.float32))
    paint += rng.normal(0, 0.009, paint.shape).astype(np.float32)
    _bristles(canvas, strokes, paint, radius, rng)


def _bristles(canvas: Bytes, strokes: Strokes, paint: Pixels, radius: float, rng: Generator) -> None:
    """Draw each stroke as a bundle of bristle lines that differ slightly in colour, load and length."""
    count = len(strokes.used)
    hairs = int(np.clip(round(radius * 0.62), 3, 13))
    thick = max(1, round(2.0 * radius / hairs * 1.25))
    places = np.linspace(-1, 1, hairs, dtype=np.float32)
    across = normals(strokes.paths)
    order = np.argsort(np.abs(places))[::-1]  # outer hairs first, so that the middle lies on top
    profile = 1 - 0.35 * places**2
    load = rng.random((count, 1), np.float32) * 60 + 120
    deep = load * profile[None, :] + rng.normal(0, 26, (count, hairs)).astype(np.float32)
    tint = 1 + rng.normal(0, 0.05, (count, hairs, 1)).astype(np.float32)
    ink = np.clip(paint[:, None, :] * tint * 255, 0, 255)
    ink = np.concatenate([ink, np.clip(deep, 20, 255)[:, :, None]], axis=2).tolist()
    wobble = rng.normal(0, 0.06, (count, hairs)).astype(np.float32)
    shift = (places[None, :] + wobble) * np.float32(radius)
    trim = rng.random((count, hairs)) < 0.5
    lines = strokes.paths[:, None] + across[:, None] * shift[:, :, None, None]
    lines = np.round(lines * (1 << SHIFT)).astype(np.int32)
    used = strokes.used.tolist()
    for index in range(count):
        last, hair_paths, inks, cut = used[index], lines[index], ink[index], trim[index]
        for hair in order:
            end = last - 1 if cut[hair] and last > 3 else last
            cv2.polylines(canvas, [hair_paths[hair, :end]], False, inks[hair], thick, cv2.LINE_8, SHIFT)


def _light_impasto(canvas: Bytes, impasto: float, rng: Generator, u: float) -> Pixels:
    height, width = size_of(canvas)
    paint = from_bytes(cv2.GaussianBlur(canvas[:, :, :3], (0, 0), max(0.6 * u, 0.45)))
    relief = from_bytes(canvas[:, :, 3])
    fine = blur(relief, max(0.8 * u, 0.5))
    linen = paper_textures.woven_canvas(rng, height, width, max(4.2 * u, 2.6))
    thin = np.clip(1 - fine * 1.3, 0, 1)
    heights = fine + blur(relief, 3 * u) * np.float32(0.5) + linen * np.float32(0.03) * (0.35 + thin)
    depth = 0.55 * impasto / max(u, 0.5) ** 0.5
    shade = paper_textures.shade_relief(heights, depth)
    shine = paper_textures.specular(heights, depth * 1.4, 10.0)
    lit = paint * (1 + (shade - 1) * np.float32(0.62))[:, :, None]
    lit = lit + (shine * np.float32(0.06 * impasto))[:, :, None]
    lit *= (1 + np.float32(0.015) * fractal_noise(rng, height, width, 300 * u, 3))[:, :, None]
    return np.clip(lit, 0, 1)
