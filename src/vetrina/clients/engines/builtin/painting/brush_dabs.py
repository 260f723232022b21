"""Brush dabs: pointillism's dots, soft pastel on toned paper, flat gouache."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures, point_sampling
from vetrina.clients.engines.builtin.raster.image_io import blur, from_bytes, mix, reference_scale, size_of, smoothstep, to_bytes
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, kuwahara_filter
from vetrina.clients.engines.builtin.raster.strokes import (
    Strokes,
    draw,
    scatter,
    select,
    trace,
    trim_to_colour,
    values_at,
)
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow, bias_towards, blur_along, estimate_flow
from vetrina.clients.engines.builtin.rng import fractal_noise, white_noise

PASTEL_PAPERS = {
    "umber": "#6b5a4c",
    "slate": "#4f5a63",
    "cream": "#e6dcc6",
    "black": "#26252a",
    "rose": "#a98580",
}


def pointillism(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render dots of unmixed colour: each layer finer, each dot slightly shifted in hue."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    dot = max(parameters.number("dot") * u, 2.2)
    split = parameters.number("vibrance")
    progress(0.0, "Mixing the palette")
    art = colour.saturate(colour.contrast(bilateral_filter(photo, 3 * u, 0.07, 2), 0.3), 1.25 + 0.45 * split)
    detail = blur(np.abs(art - blur(art, 2.2 * dot)).max(axis=2), dot)
    progress(0.12, "Priming the canvas")
    ground = floats([0.93, 0.89, 0.80])
    under = mix(np.broadcast_to(ground, art.shape), blur(art, 20 * u), 0.62)
    canvas = np.dstack([to_bytes(under), np.full((height, width), 40, np.uint8)])
    layers = ((1.7, 1.0, 0.0), (1.15, 0.92, 0.0), (0.8, 0.8, 0.028), (0.55, 0.72, 0.065))
    for index, (size, dense, need) in enumerate(layers):
        progress(0.2 + 0.15 * index, f"Setting dots, layer {index + 1} of {len(layers)}")
        radius = dot * size
        spots = scatter(rng, height, width, radius * 1.75 / dense, 0.62)
        if need:
            spots = spots[values_at(detail, spots) > need]
        if len(spots):
            _draw_dots(canvas, spots, _split_hues(values_at(blur(art, radius * 0.5), spots), split, rng), radius, rng)
    progress(0.84, "Adding sparks of the opposite colour")
    sparks = scatter(rng, height, width, dot * 4.4, 0.7)
    _draw_dots(canvas, sparks, _complement(values_at(blur(art, dot), sparks), rng), dot * 0.55, rng)
    progress(0.93, "Varnishing")
    relief = blur(from_bytes(canvas[:, :, 3]), 0.7 * u)
    shade = paper_textures.shade_relief(relief, 0.5 / max(u, 0.5) ** 0.5)
    return np.clip(from_bytes(canvas[:, :, :3]) * (1 + (shade - 1) * np.float32(0.26))[:, :, None], 0, 1)


def _split_hues(paint: Pixels, split: float, rng: Generator) -> Pixels:
    """Shift each dot towards one of its component hues, so that neighbours differ but the mean stays."""
    tone = colour.lab(paint[None])[0]
    count = len(tone)
    angle = rng.choice(np.array([0.4, 1.9, 3.6, 5.2]), count) + rng.normal(0, 0.3, count)
    reach = (7 + 0.22 * np.hypot(tone[:, 1], tone[:, 2])) * split * 1.4
    tone[:, 1] += (np.cos(angle) * reach).astype(np.float32)
    tone[:, 2] += (np.sin(angle) * reach).astype(np.float32)
    tone[:, 0] += rng.normal(0, 3.4 * split + 1.2, count).astype(np.float32)
    return colour.from_lab(tone[None])[0]


def _complement(paint: Pixels, rng: Generator) -> Pixels:
    tone = colour.lab(paint[None])[0]
    tone[:, 1:] *= np.float32(-0.7)
    tone[:, 0] += rng.normal(4, 4, len(tone)).astype(np.float32)
    return colour.from_lab(tone[None])[0]


def _draw_dots(canvas: Bytes, spots: point_sampling.Points, paint: Pixels, radius: float, rng: Generator) -> None:
    """Draw slightly oval dots in random directions, with a height for the relief."""
    count = len(spots)
    inks = np.concatenate([np.clip(paint * 255, 0, 255), rng.uniform(120, 255, (count, 1))], axis=1).tolist()
    axes = np.maximum(np.round(radius * 16 * rng.uniform(0.78, 1.12, (count, 2))), 14).astype(int).tolist()
    turn = rng.uniform(0, 180, count).tolist()
    places = np.round(spots * 16).astype(int).tolist()
    for (x, y), (a, b), angle, ink in zip(places, axes, turn, inks, strict=True):
        cv2.ellipse(canvas, (x, y), (a, b), angle, 0, 360, ink, -1, cv2.LINE_AA, 4)


def pastel(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render chalky strokes, broad to fine, broken by the paper's texture so that its colour shows through."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Choosing the paper")
    tooth = paper_textures.paper_tooth(rng, height, width, max(1.35 * u, 0.8))
    ground = colour.from_hex(PASTEL_PAPERS[parameters.choice("paper")])
    sheet = ground * (0.95 + 0.1 * tooth)[:, :, None]
    art = colour.saturate(colour.contrast(bilateral_filter(photo, 3.5 * u, 0.08, 2), 0.3), 1.35)
    art = art * np.float32(0.94) + np.float32(0.045)  # chalk has no black
    field = bias_towards(estimate_flow(art, 6 * u), -55, 0.5)
    detail = blur(np.abs(art - blur(art, 12 * u)).max(axis=2), 5 * u)
    press = parameters.number("pressure")
    plan = ((22, 150, 0.0), (12, 105, 0.0), (7, 64, 0.02), (3.6, 40, 0.045), (2.0, 26, 0.075))
    for index, (broad, length, need) in enumerate(plan):
        progress(0.12 + 0.15 * index, f"Chalk layer {index + 1} of {len(plan)}")
        layer, cover = _chalk_layer(art, field, detail, max(broad * u, 1), length * u, need, rng)
        grip = smoothstep(0.62 - 0.7 * press - 0.04 * index, 1.08 - 0.3 * press, tooth * 0.8 + cover * 0.42)
        sheet = mix(sheet, layer, cover * grip * np.float32(0.93))
    progress(0.88, "Blending with a fingertip")
    blend = parameters.number("blend")
    patch = smoothstep(0.1, 1.3, fractal_noise(rng, height, width, 160 * u, 3)) * np.float32(blend)
    sheet = mix(sheet, blur(sheet, 3.2 * u), patch * np.float32(0.8))
    progress(0.95, "Blowing off the dust")
    dust = white_noise(rng, height, width, max(0.6 * u, 0.5)) * np.float32(0.016)
    return np.clip(sheet + dust[:, :, None], 0, 1)


def _chalk_layer(
    art: Pixels, field: Flow, detail: Pixels, broad: float, length: float, need: float, rng: Generator
) -> tuple[Pixels, Pixels]:
    """Return one layer's colours and coverage (0 to 1, streaky along the strokes)."""
    height, width = size_of(art)
    reference = blur(art, broad * 0.3)
    starts = scatter(rng, height, width, max(broad * 0.85, 2.2), 0.8)
    if need:
        starts = starts[values_at(detail, starts) > need]
    canvas = np.zeros((height, width, 4), np.uint8)
    if len(starts):
        strokes = trace(field, starts, length, 9, 0.6)
        strokes = trim_to_colour(strokes, reference, 0.13)
        paint = values_at(reference, starts) + rng.normal(0, 0.02, (len(starts), 3)).astype(np.float32)
        paint *= 1 + rng.normal(0, 0.045, (len(starts), 1)).astype(np.float32)
        load = rng.uniform(150, 255, (len(starts), 1))
        inks = np.concatenate([np.clip(paint * 255, 0, 255), load], axis=1)
        draw(canvas, strokes, inks, np.full(len(starts), broad * 0.9), smooth=broad < 4)
    cover = from_bytes(canvas[:, :, 3])
    streaks = white_noise(rng, height, width, max(broad * 0.12, 0.6))
    return from_bytes(canvas[:, :, :3]), np.clip(cover * (1 + 0.16 * streaks), 0, 1)


def gouache(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render opaque matte paint in flat strokes over a coloured ground, with slightly dry edges."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Mixing a limited palette")
    simple = kuwahara_filter(bilateral_filter(photo, 6 * u, 0.11, 3), 8 * u)
    tone = colour.lab(simple)
    tone[:, :, 0] = 14 + 82 * colour.levels(tone[:, :, 0] / 100, 1, 98, 1.6)
    tone[:, :, 1:] *= np.float32(1.1 + 0.6 * parameters.number("colour"))
    art = colour.from_lab(tone)
    paints = colour.palette(art, parameters.integer("paints"), rng)
    nearest = colour.from_lab(paints[None])[0][colour.nearest(colour.lab(art), paints)]
    art = mix(art, blur(nearest, 1.5 * u), 0.62)
    field = bias_towards(estimate_flow(art, 9 * u), 20, 0.35)
    progress(0.24, "Washing in the ground")
    ground = floats([0.86, 0.62, 0.47])
    canvas = to_bytes(mix(np.broadcast_to(ground, art.shape), blur(art, 30 * u), 0.35))
    brush = parameters.number("brush") * u
    for index, (broad, tolerance) in enumerate(((46, 0.16), (26, 0.10), (14, 0.08), (7, 0.08))):
        progress(0.32 + 0.14 * index, f"Painting with brush {index + 1} of 4")
        _paint_layer(canvas, art, field, max(broad * brush, 2.0), tolerance, index, rng)
    progress(0.88, "Leaving brush marks")
    tooth = paper_textures.paper_tooth(rng, height, width, max(2.6 * u, 1.2))
    paint = from_bytes(canvas)
    marks = blur_along(white_noise(rng, height, width, 0.9 * u), field, 24 * u, 6)
    paint = paint * (1 + np.float32(0.02) * marks / np.float32(max(float(marks.std()), 1e-6)))[:, :, None]
    progress(0.95, "Drying matte")
    chalky = paint * np.float32(0.95) + np.float32(0.03)
    return np.clip(chalky * (0.985 + 0.03 * tooth)[:, :, None], 0, 1)


def _paint_layer(canvas: Bytes, art: Pixels, field: Flow, broad: float, tolerance: float, index: int, rng: Generator) -> None:
    height, width = size_of(art)
    reference = blur(art, broad * 0.2)
    starts = scatter(rng, height, width, broad * 0.55, 0.6)
    if index:
        error = np.abs(blur(reference - from_bytes(canvas), broad * 0.22)).max(axis=2)
        starts = starts[values_at(error, starts) > (0, 0.055, 0.06, 0.07)[index]]
    if not len(starts):
        return
    strokes: Strokes = trace(field, starts, broad * 4.2, 9, 0.5)
    strokes = trim_to_colour(strokes, reference, tolerance)
    keep = strokes.used >= (3 if index < 2 else 2)
    strokes, starts = select(strokes, keep), starts[keep]
    paint = values_at(reference, starts) * (1 + rng.normal(0, 0.022, (len(starts), 1)).astype(np.float32))
    draw(canvas, strokes, np.clip(paint * 255, 0, 255), np.full(len(starts), broad * 0.62))
