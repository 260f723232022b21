"""Watercolour: transparent washes on rough paper, dark at their rims, grainy in the pits, bleeding where wet.

Pigment is a density that darkens the paper multiplicatively (Bousseau et al. 2006 for the density law).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures
from vetrina.clients.engines.builtin.raster.edge_lines import outlines
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, kuwahara_filter
from vetrina.clients.engines.builtin.raster.structure_tensor import estimate_flow
from vetrina.clients.engines.builtin.rng import fractal_noise, to_uniform, warp_by_noise, white_noise

PAPER = floats([0.985, 0.975, 0.95])


def watercolour(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render washes from light to dark, each with an irregular rim, then granulation, blooms and splashes."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    wet = parameters.number("wetness")
    progress(0.0, "Stretching the paper")
    paper = paper_textures.cold_press(rng, height, width, 3.8 * u)
    progress(0.08, "Squinting at the motif")
    simple = kuwahara_filter(bilateral_filter(photo, 5 * u, 0.09), 7 * u)
    simple = _luminous(simple, parameters.number("colour"))
    progress(0.28, "Letting the brush wander")
    hand = warp_by_noise(simple, rng, 1.6 * u, 26 * u)
    hand = warp_by_noise(hand, rng, 0.8 * u, 7 * u)
    progress(0.40, "Wetting the paper and letting colours run")
    bleed = smoothstep(0.15, 1.6, fractal_noise(rng, height, width, 210 * u, 4)) * np.float32(wet)
    hand = mix(hand, blur(hand, 9 * u), bleed * np.float32(0.85))
    progress(0.52, "Laying washes from light to dark")
    density = _washes(hand, rng, u, wet)
    progress(0.70, "Letting pigment settle in the paper's pits")
    density += _granulation(paper, parameters.number("granulation"), rng, u)
    density *= np.clip(1 + np.float32(0.22) * fractal_noise(rng, height, width, 190 * u, 6, 0.6), 0.3, 1.7)
    hand = _wandering_hue(hand, rng, u)
    progress(0.78, "Leaving the border unpainted")
    edge = paper_textures.deckle_mask(rng, height, width, 36 * u, 7 * u)
    edge *= smoothstep(-0.1, 0.35, edge * 1.6 - paper)
    rim = np.clip(edge - blur(edge, 3.5 * u), 0, 1)
    painted = _pigment(hand, density + rim * np.float32(0.9))
    splash = _splashes(rng, height, width, u)
    cover = np.clip(edge + splash * (1 - edge), 0, 1)
    sheet = np.broadcast_to(PAPER, photo.shape)
    result = mix(sheet, painted, cover)
    progress(0.88, "Drawing with a soft pencil")
    pencil = parameters.number("pencil")
    if pencil > 0:
        result = _pencilled(result, photo, edge, paper, pencil, u)
    progress(0.95, "Drying in raking light")
    shade = paper_textures.shade_relief(paper, 0.30 / max(u, 0.5) ** 0.5)
    return np.clip(result * (1 + (shade - 1) * np.float32(0.085))[:, :, None], 0, 1)


def _luminous(picture: Pixels, strength: float) -> Pixels:
    """Return a lighter, clearer picture in which darks stay coloured, never black."""
    tone = colour.lab(picture)
    tone[:, :, 0] = 28 + 72 * (colour.levels(tone[:, :, 0] / 100, 1, 97, 1.5)) ** np.float32(0.76)
    tone[:, :, 1:] *= np.float32(0.9 + 0.7 * strength)
    return colour.from_lab(tone)


def _wandering_hue(picture: Pixels, rng: Generator, u: float) -> Pixels:
    """Separate warm and cool pigment a little, as in an unevenly mixed wash."""
    height, width = size_of(picture)
    tone = colour.lab(picture)
    share = 2 + 0.09 * np.abs(tone[:, :, 1:]).sum(axis=2)
    tone[:, :, 1] += share * np.float32(0.55) * fractal_noise(rng, height, width, 120 * u, 5)
    tone[:, :, 2] += share * np.float32(0.8) * fractal_noise(rng, height, width, 150 * u, 5)
    return colour.from_lab(tone)


def _washes(picture: Pixels, rng: Generator, u: float, wet: float) -> Pixels:
    """Return the pigment density, about 1: each tonal layer adds a little, more along its rim."""
    height, width = size_of(picture)
    tone = blur(colour.luma(picture), 1.6 * u)
    tone += np.float32(0.018) * fractal_noise(rng, height, width, 60 * u, 4)
    density = np.full((height, width), 0.86, np.float32)
    dry = 1 - smoothstep(0.3, 1.5, fractal_noise(rng, height, width, 260 * u, 3)) * np.float32(0.7 * wet)
    for level in (0.9, 0.76, 0.62, 0.48, 0.34, 0.2):
        wash = smoothstep(level + 0.022, level - 0.022, tone)
        rim = np.clip(wash - blur(wash, 4.2 * u), 0, 1) + np.clip(wash - blur(wash, 1.6 * u), 0, 1) * 0.6
        density += wash * np.float32(0.05) + rim * dry * np.float32(0.85)
    edges = np.abs(tone - blur(tone, 3.0 * u))
    return density + np.clip(edges * 3.2, 0, 0.6)


def _granulation(paper: Pixels, amount: float, rng: Generator, u: float) -> Pixels:
    pits = (np.float32(0.5) - paper) * np.float32(0.55 * amount)
    flocks = np.float32(0.09 * amount) * white_noise(rng, *size_of(paper), 1.1 * u)
    return pits + flocks


def _pigment(picture: Pixels, density: Pixels) -> Pixels:
    """Apply the pigment density: C' = C - (C - C²)(d - 1), in paper's reflectance."""
    d = np.clip(density, 0.1, 2.6)[:, :, None]
    stain = picture ** (0.35 + 0.65 * d)
    return np.clip(stain, 0, 1) * PAPER


def _splashes(rng: Generator, height: int, width: int, u: float) -> Pixels:
    """Draw a few drops beside the painting."""
    field = white_noise(rng, height, width, 5 * u)
    return smoothstep(3.1, 3.5, field) * np.float32(0.75)


def _pencilled(picture: Pixels, photo: Pixels, inside: Pixels, paper: Pixels, strength: float, u: float) -> Pixels:
    plane = colour.luma(bilateral_filter(photo, 4 * u, 0.07, 2))
    lead = outlines(plane, estimate_flow(photo, 3 * u), 1.15 * u, tau=0.992, bias=0.0015, sharp=55)
    lead *= 0.45 + 0.75 * to_uniform(paper - np.float32(0.5)) * 1.2
    lead *= inside * np.float32(0.85 * strength)
    return mix(picture, picture * np.float32(0.28) + np.float32(0.06), np.clip(lead, 0, 0.9))
