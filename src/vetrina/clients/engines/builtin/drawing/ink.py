"""Pen and ink: evenly spaced cross-hatching, weighted stippling, and banknote engraving."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures, point_sampling
from vetrina.clients.engines.builtin.raster.edge_lines import outlines
from vetrina.clients.engines.builtin.raster.image_io import blur, from_bytes, mix, reference_scale, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, guided_filter
from vetrina.clients.engines.builtin.raster.strokes import SHIFT, scatter, trace, values_at
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow, bias_towards, estimate_flow, rotate
from vetrina.clients.engines.builtin.rng import fractal_noise, pixel_grid

INKS = {"black": "#15151a", "sepia": "#3c2414", "indigo": "#1b2a5c", "green": "#173a2c", "oxblood": "#571818"}
LAYERS = ((0.0, 0.13, 1.0), (62.0, 0.40, 1.0), (-38.0, 0.62, 0.9), (90.0, 0.78, 0.8))
"""Turn against the first direction in degrees, darkness from which it is drawn, relative spacing."""


def hatching(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render contours and up to four directions of evenly spaced lines that follow the forms."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Reading tones and directions")
    tone = colour.local_contrast(colour.levels(colour.lightness(photo), 1, 98), 1.6)
    calm = guided_filter(tone, tone, 5 * u, 0.0015)
    calm += blur(calm, 3 * u) * np.float32(0.8) - blur(calm, 14 * u) * np.float32(0.8)
    dark = np.clip((1 - calm) * np.float32(0.8 + 0.4 * parameters.number("darkness")), 0, 1)
    field = bias_towards(estimate_flow(photo, 7 * u), -48, 0.75)
    ink = np.zeros((height, width), np.uint8)
    spacing = parameters.number("spacing") * u
    for index, (turn, threshold, tight) in enumerate(LAYERS):
        progress(0.12 + 0.16 * index, f"Hatching, direction {index + 1} of {len(LAYERS)}")
        _draw_hatching(ink, dark, rotate(field, turn), threshold, max(spacing * tight, 2.2), rng, u)
    progress(0.78, "Inking the contours")
    plane = colour.luma(bilateral_filter(photo, 2.5 * u, 0.08, 2))
    line = outlines(plane, estimate_flow(photo, 3.5 * u), (1.0 + 1.2 * parameters.number("outline")) * u, tau=0.991, sharp=220)
    deep = smoothstep(0.885, 0.965, guided_filter(dark, dark, 3 * u, 0.0005))
    cover = np.maximum(np.maximum(from_bytes(ink), smoothstep(0.25, 0.7, line)), deep)
    progress(0.94, "Letting the ink dry")
    return _print_on_paper(cover, parameters.choice("ink"), rng, u)


def _draw_hatching(ink: Bytes, dark: Pixels, field: Flow, threshold: float, spacing: float, rng: Generator, u: float) -> None:
    """Draw lines in random order; each ends at light areas or too close to another line."""
    height, width = size_of(dark)
    starts = scatter(rng, height, width, spacing * 1.7, 0.9)
    starts = starts[values_at(dark, starts) > threshold]
    if not len(starts):
        return
    strokes = trace(field, starts, 130 * u + 20, 27, 0.6)
    tones = values_at(dark, strokes.paths)
    ends = tones > threshold - 0.03
    taken = np.zeros((height, width), np.uint8)
    guard = max(1, round(spacing * 1.15))
    fixed = np.round(strokes.paths * (1 << SHIFT)).astype(np.int32)
    pixels = np.round(strokes.paths).astype(np.int32)
    np.clip(pixels[..., 0], 0, width - 1, out=pixels[..., 0])
    np.clip(pixels[..., 1], 0, height - 1, out=pixels[..., 1])
    middle = fixed.shape[1] // 2
    weight = np.clip(0.75 + 1.25 * (tones[:, middle] - threshold), 0.6, 1.7) * 1.25 * u
    thick = np.maximum(np.round(weight), 1).astype(int).tolist()
    for index in range(len(fixed)):
        where = pixels[index]
        met: Bytes = taken[where[:, 1], where[:, 0]]
        free = cast(Bytes, np.logical_and(ends[index], met == 0))
        if not free[middle]:
            continue
        blocked = np.flatnonzero(1 - free.astype(np.uint8))
        split = int((blocked < middle).sum())
        begin = int(blocked[split - 1]) + 1 if split else 0
        end = int(blocked[split]) if split < len(blocked) else len(free)
        if end - begin < 3:
            continue
        line = fixed[index, begin:end]
        cv2.polylines(taken, [line], False, (255,), guard, cv2.LINE_8, SHIFT)
        cv2.polylines(ink, [line], False, (255,), thick[index], cv2.LINE_AA, SHIFT)


def stipple(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render tens of thousands of dots spread by Lloyd's relaxation, denser where it is dark."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Weighing the tones")
    tone = colour.local_contrast(colour.levels(colour.lightness(photo), 1, 98), 1.8)
    crisp = np.clip(tone + 0.8 * (tone - blur(tone, 5 * u)), 0, 1)
    edge = outlines(
        colour.luma(bilateral_filter(photo, 2.5 * u, 0.08, 2)), estimate_flow(photo, 3 * u), 1.6 * u, tau=0.992, sharp=120
    )
    weight = np.clip((1 - crisp) ** np.float32(1.45) + edge * np.float32(0.25), 0.003, 1)
    area = height * width / (u * u)
    count = int(min(parameters.integer("dots") * 1000 * area / (1600 * 1200), height * width / 9))
    progress(0.15, f"Scattering {count:,} dots")
    placed = point_sampling.sample(rng, weight, max(count, 16))
    rounds = 14
    scale = 1.0 if height * width < 2.6e6 else 0.7
    small = resize(weight, max(round(height * scale), 8), max(round(width * scale), 8))
    for turn in range(4):
        progress(0.25 + 0.12 * turn, "Letting the dots find their places")
        placed = point_sampling.lloyd_relax(placed * np.float32(scale), small, rounds // 4 + 1) / np.float32(scale)
    progress(0.74, "Setting the dots with the pen")
    ink = np.zeros((height, width), np.uint8)
    heavy = values_at(blur(weight, 1.5 * u), placed)
    reach = (0.8 + 0.75 * heavy + rng.normal(0, 0.07, len(placed))) * u * parameters.number("size_of_dot") * 1.25
    fixed = np.round(placed * 16).astype(int).tolist()
    for (x, y), radius in zip(fixed, np.maximum(np.round(reach * 16), 9).astype(int).tolist(), strict=True):
        cv2.circle(ink, (x, y), radius, (255,), -1, cv2.LINE_AA, 4)
    progress(0.94, "Letting the ink dry")
    return _print_on_paper(from_bytes(ink), parameters.choice("ink"), rng, u)


def engraving(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render swelling parallel lines that bend over the forms, crossed where it is dark, as on a banknote."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Modelling the forms")
    tone = colour.local_contrast(colour.levels(colour.lightness(photo), 1, 98), 2.4)
    calm = guided_filter(tone, tone, 4 * u, 0.0012)
    crisp = np.clip(calm + 0.9 * (tone - blur(tone, 4 * u)), 0, 1)
    dark = (1 - crisp) * np.float32(0.94)
    form = blur(calm, 16 * u) * np.float32(parameters.number("relief") * 7)
    x, y = pixel_grid(height, width)
    x += np.float32(1.2 * u) * fractal_noise(rng, height, width, 180 * u, 2)
    y += np.float32(1.2 * u) * fractal_noise(rng, height, width, 180 * u, 2)
    period = max(parameters.number("spacing") * u, 3.4)
    cover = np.zeros((height, width), np.float32)
    cuts = ((22.0, 0.06, 0.60, 1.0), (-38.0, 0.42, 0.98, 0.92), (80.0, 0.66, 1.12, 0.85))
    for index, (degrees, begin, full, tight) in enumerate(cuts):
        progress(0.22 + 0.2 * index, f"Cutting lines, direction {index + 1} of {len(cuts)}")
        share = np.clip((dark - begin) / (full - begin), 0, 1) ** np.float32(0.9) * np.float32(0.66)
        cover = np.maximum(cover, _swelling_lines(x, y, form, share, degrees, period * tight))
    progress(0.82, "Cutting the contours")
    plane = colour.luma(bilateral_filter(photo, 2.5 * u, 0.08, 2))
    line = outlines(plane, estimate_flow(photo, 3 * u), 1.5 * u, tau=0.991, sharp=200)
    cover = np.maximum(cover, smoothstep(0.3, 0.8, line) * np.float32(0.95))
    progress(0.94, "Pulling the print")
    return _print_on_paper(cover, parameters.choice("ink"), rng, u)


def _swelling_lines(x: Pixels, y: Pixels, form: Pixels, share: Pixels, degrees: float, period: float) -> Pixels:
    """Return lines `period` apart, of which `share` is ink, displaced by the form so that they seem to bend."""
    a = np.radians(degrees)
    across = (x * np.float32(np.sin(a)) + y * np.float32(np.cos(a))) / np.float32(period) + form
    saw = np.abs(across - np.floor(across) - np.float32(0.5)) * 2  # 0 in the line's middle, 1 between
    gy, gx = np.gradient(across)
    slope = np.maximum(np.hypot(gx, gy) * 2, np.float32(0.05))
    ink: Pixels = np.clip((share - saw) / slope + np.float32(0.5), 0, 1)
    return ink * np.clip(share * 20, 0, 1)


def _print_on_paper(cover: Pixels, ink: str, rng: Generator, u: float) -> Pixels:
    """Return the ink on slightly rough ivory paper, darker where it pooled."""
    height, width = size_of(cover)
    tooth = paper_textures.paper_tooth(rng, height, width, max(1.6 * u, 0.9))
    paper = floats([0.972, 0.958, 0.922]) * (0.99 + 0.02 * tooth)[:, :, None]
    paper *= (1 + np.float32(0.008) * fractal_noise(rng, height, width, 300 * u, 3))[:, :, None]
    load = np.clip(0.955 + 0.018 * fractal_noise(rng, height, width, 60 * u, 3) + 0.05 * (tooth - 0.5), 0.8, 1)
    return np.clip(mix(paper, np.broadcast_to(colour.from_hex(INKS[ink]), paper.shape), cover * load), 0, 1)
