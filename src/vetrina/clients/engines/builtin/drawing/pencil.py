"""Dry drawing on rough paper: pencil hatching stroke by stroke; charcoal with white chalk."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures
from vetrina.clients.engines.builtin.raster.edge_lines import outlines
from vetrina.clients.engines.builtin.raster.image_io import blur, from_bytes, mix, reference_scale, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, guided_filter
from vetrina.clients.engines.builtin.raster.strokes import draw, scatter, select, trace, values_at
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow, bias_towards, blur_along, estimate_flow, rotate
from vetrina.clients.engines.builtin.rng import fractal_noise, white_noise

LEADS = {"graphite": "#26272b", "sepia": "#4a2c1a", "blue": "#1d3f8f", "red": "#9c2a1f"}
PAPERS = {"grey": "#9a9791", "kraft": "#b1936c", "blue": "#8796a3", "cream": "#e9e1cf"}
HATCHES = ((52.0, 0.10), (48.0, 0.28), (18.0, 0.45), (80.0, 0.62), (-20.0, 0.78))
"""Direction in degrees, and the darkness from which the layer is drawn."""


def pencil(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render contours, then hatching in up to five directions, darker where more of them cross."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Choosing the paper")
    tooth = paper_textures.paper_tooth(rng, height, width, max(1.7 * u, 0.9))
    tone = colour.local_contrast(colour.levels(colour.lightness(photo)), 1.5)
    calm = np.clip(guided_filter(tone, tone, 4 * u, 0.001), 0, 1)
    dark = 1 - calm ** np.float32(0.9 - 0.35 * (0.5 - parameters.number("darkness")))
    field = estimate_flow(photo, 4 * u)
    progress(0.08, "Shading with the side of the lead")
    slant = bias_towards(field, 52, 0.6)
    streaks = blur_along(white_noise(rng, height, width, 0.7 * u), slant, 22 * u)
    streaks /= np.float32(max(float(streaks.std()), 1e-6))
    fine = np.clip(dark - blur(dark, 9 * u), 0, 1)
    shading = dark ** np.float32(1.35) * np.float32(0.62) + fine * np.float32(1.5)
    if parameters.choice("lead") == "coloured":  # light yellows want pigment too
        shading += np.ptp(photo, axis=2) * np.float32(0.75)
    lead = shading * np.clip(1 + np.float32(0.42) * streaks, 0.1, 2.2)
    for index, (degrees, threshold) in enumerate(HATCHES):
        progress(0.22 + 0.11 * index, f"Hatching, layer {index + 1} of {len(HATCHES)}")
        layer = _hatch_layer(dark, bias_towards(field, degrees, 0.9), threshold, index, rng, u)
        lead += layer * np.float32(0.34)
    progress(0.78, "Drawing the contours")
    line = outlines(colour.luma(bilateral_filter(photo, 2 * u, 0.06, 2)), field, 1.9 * u, tau=0.994, sharp=150)
    pressed = 0.75 + 0.35 * fractal_noise(rng, height, width, 90 * u, 3)
    lead += line * np.float32(1.5 * parameters.number("outline")) * np.clip(pressed, 0.2, 1.3)
    progress(0.92, "Letting the tooth of the paper show")
    grip = np.clip(0.62 + 0.8 * tooth, 0, 1.6)
    cover = 1 - np.exp(-lead * grip * np.float32(1.25))
    return _print_on_paper(photo, cover, tooth, parameters.choice("lead"), u)


def _hatch_layer(dark: Pixels, field: Flow, threshold: float, index: int, rng: Generator, u: float) -> Pixels:
    """Return one direction of strokes as darkness 0 to 1: only where it is dark enough, stronger in dark tones."""
    height, width = size_of(dark)
    starts = scatter(rng, height, width, (6.4 if index < 2 else 7.4) * u + 1.2, 0.8)
    need = values_at(dark, starts) - np.float32(threshold)
    starts, need = starts[need > -0.04], need[need > -0.04]
    layer = np.zeros((height, width), np.uint8)
    if len(starts):
        strokes = trace(field, starts, (52 - 5 * index) * u + 6, 7, 0.7)
        # a stroke ends where the light begins
        inside = values_at(dark, strokes.paths) > threshold - 0.12
        strokes = strokes._replace(used=np.maximum(np.cumprod(inside, axis=1).sum(axis=1), 2))
        keep = inside[:, 0]
        press = np.clip(90 + 330 * need + rng.normal(0, 24, len(need)), 25, 255)
        draw(layer, select(strokes, keep), press[keep], np.full(int(keep.sum()), 1.35 * u))
    return blur(from_bytes(layer), 0.45 * u)


def _print_on_paper(photo: Pixels, cover: Pixels, tooth: Pixels, lead: str, u: float) -> Pixels:
    paper = floats([0.968, 0.957, 0.93]) * (0.985 + 0.03 * tooth)[:, :, None]
    if lead == "coloured":
        own = colour.saturate(bilateral_filter(photo, 4 * u, 0.08, 2), 1.9)
        pigment = np.clip(own / np.maximum(own.max(axis=2, keepdims=True), 0.25) * 0.93, 0.04, 1)
        shaded = np.clip(own * np.float32(0.55) + pigment * np.float32(0.42), 0, 1)
        return np.clip(mix(paper, shaded, np.clip(cover * np.float32(1.15), 0, 0.97)), 0, 1)
    return np.clip(mix(paper, np.broadcast_to(colour.from_hex(LEADS[lead]), paper.shape), cover * 0.94), 0, 1)


def charcoal(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render smudged charcoal on rough toned paper, with chalk for the lights."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Choosing the toned paper")
    tooth = paper_textures.paper_tooth(rng, height, width, max(1.7 * u, 0.9))
    tone = colour.local_contrast(colour.levels(colour.lightness(photo)), 1.8)
    field = estimate_flow(photo, 6 * u)
    progress(0.14, "Laying in the shadows with the side of the stick")
    calm = guided_filter(tone, tone, 7 * u, 0.003)
    way = bias_towards(field, 60, 1.0)
    streaks = blur_along(white_noise(rng, height, width, 1.6 * u), way, 30 * u)
    streaks /= np.float32(max(float(streaks.std()), 1e-6))
    dark = smoothstep(0.80, -0.12, calm) + np.float32(0.05) * streaks * smoothstep(0.95, 0.5, calm)
    progress(0.34, "Smudging")
    smudge = parameters.number("smudge")
    soft = blur_along(blur(dark, 1.5 * u), rotate(way, 6), (8 + 26 * smudge) * u)
    progress(0.52, "Drawing the dark accents")
    accents = outlines(colour.luma(bilateral_filter(photo, 3 * u, 0.07, 2)), field, 2.6 * u, tau=0.99, sharp=110)
    accents *= np.clip(0.8 + 0.5 * fractal_noise(rng, height, width, 70 * u, 3), 0.1, 1.3)
    progress(0.74, "Pressing into the tooth of the paper")
    pressed = dark + accents * np.float32(0.6 * parameters.number("accents"))
    caught = smoothstep(-0.42, 0.5, pressed * 1.2 - (1 - tooth) * 0.85 - 0.06) * np.clip(pressed * 1.5, 0, 1)
    black = np.clip(soft * (0.22 + 0.3 * smudge) + caught * np.float32(0.72), 0, 0.96)
    progress(0.88, "Setting the lights with white chalk")
    lights = smoothstep(0.70, 1.02, calm) * np.clip(1 + 0.25 * streaks, 0, 1.6)
    chalk = smoothstep(-0.3, 0.5, lights * 1.15 - (1 - tooth) * 0.75) * np.clip(lights * 1.4, 0, 1)
    chalk *= np.float32(parameters.number("chalk"))
    ground = colour.from_hex(PAPERS[parameters.choice("paper")])
    sheet = ground * (0.95 + 0.09 * tooth + 0.012 * fractal_noise(rng, height, width, 60 * u, 4))[:, :, None]
    drawn = mix(sheet, np.broadcast_to(floats([0.97, 0.96, 0.94]), sheet.shape), chalk * (1 - black))
    return np.clip(mix(drawn, np.broadcast_to(floats([0.085, 0.08, 0.08]), sheet.shape), black), 0, 1)
