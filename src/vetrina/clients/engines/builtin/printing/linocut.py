"""Relief and blueprint: linocut with gouge marks along the forms, and cyanotype on brushed paper."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures
from vetrina.clients.engines.builtin.raster.edge_lines import lines_and_blacks
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, guided_filter
from vetrina.clients.engines.builtin.raster.structure_tensor import bias_towards, blur_along, estimate_flow
from vetrina.clients.engines.builtin.rng import fractal_noise, white_noise

LINO_INKS = {
    "black": ("#17171b", "#d7a24a"),
    "indigo": ("#1c2b55", "#e0793c"),
    "forest": ("#183a30", "#d9b24c"),
    "oxblood": ("#4d1518", "#d98e5f"),
    "teal": ("#0f4247", "#e58a6b"),
}


def linocut(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render a linocut: light areas are cut away with gouge marks; a second block adds a colour."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Drawing on the block")
    tone = colour.local_contrast(colour.levels(colour.lightness(bilateral_filter(photo, 3 * u, 0.08, 2)), 2, 98), 2.2)
    calm = guided_filter(tone, tone, 5 * u, 0.002)
    calm = np.clip(calm + np.float32(0.9) * (blur(calm, 1.5 * u) - blur(calm, 16 * u)), 0, 1)
    calm **= np.float32(0.85)
    field = bias_towards(estimate_flow(photo, 8 * u), 8, 0.45)
    progress(0.22, "Cutting with the gouge")
    size = (0.5 + parameters.number("gouge")) * u
    hatch = white_noise(rng, height, width, 1.3 * size + 0.3) - np.float32(0.55) * white_noise(rng, height, width, 3 * size)
    ridges = blur_along(hatch, field, 40 * size, 10)
    ridges -= blur(ridges, 4.5 * size)  # of one width, as one tool leaves them
    ridges /= np.float32(max(float(ridges.std()), 1e-6))
    progress(0.48, "Keeping the key lines")
    key = lines_and_blacks(calm, field, 2.6 * u, weight=20, level=0.30, sharp=14)
    level = 0.40 + 0.24 * (parameters.number("darkness") - 0.5)
    cut = calm + np.float32(0.15) * ridges * smoothstep(0.05, 0.25, calm) * smoothstep(0.95, 0.65, calm)
    block = np.maximum(smoothstep(level + 0.05, level - 0.05, cut), smoothstep(0.35, 0.65, key))
    # a few ridges that the gouge missed, left in the cleared ground
    stray = smoothstep(2.5, 2.8, ridges) * smoothstep(0.62, 0.86, calm) * np.float32(0.9)
    block = smoothstep(0.4, 0.6, blur(np.maximum(block, stray), 0.8 * u))
    progress(0.68, "Cutting the colour block")
    dark_ink, tint = (colour.from_hex(code) for code in LINO_INKS[parameters.choice("ink")])
    middle = calm + np.float32(0.05) * ridges
    second = smoothstep(0.735, 0.715, middle) if parameters.boolean("second_block") else np.zeros_like(calm)
    progress(0.8, "Rolling up and printing")
    tooth = paper_textures.paper_tooth(rng, height, width, max(2.6 * u, 1.2))
    paper = floats([0.955, 0.935, 0.885]) * (0.985 + 0.03 * tooth)[:, :, None]
    sheet = mix(paper, np.broadcast_to(tint, paper.shape), second * _ink_coverage(tooth, rng, u, 0.9))
    ink = block * _ink_coverage(tooth, rng, u, 0.97)
    sheet = mix(sheet, np.broadcast_to(dark_ink, sheet.shape), ink)
    progress(0.94, "Lifting the paper")
    pressed = paper_textures.shade_relief(blur(block, 1.2 * u), 0.8 / max(u, 0.5) ** 0.5, 45)
    return np.clip(sheet * (1 + (pressed - 1) * np.float32(0.10))[:, :, None], 0, 1)


def _ink_coverage(tooth: Pixels, rng: Generator, u: float, load: float) -> Pixels:
    """Return the coverage of oily ink: speckled in patches, slightly uneven."""
    height, width = size_of(tooth)
    patch = fractal_noise(rng, height, width, 170 * u, 4)
    salt = white_noise(rng, height, width, 1.0 * u) + np.float32(0.7) * (np.float32(0.5) - tooth)
    missed = smoothstep(2.0, 2.7, salt + np.float32(0.55) * patch)
    return np.clip(np.float32(load) - missed * np.float32(0.75) - np.float32(0.015) * patch, 0, 1)


def cyanotype(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render Prussian blue on paper coated with a broad brush."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Coating the paper")
    paper = paper_textures.cold_press(rng, height, width, max(3.2 * u, 1.4))
    coat = _coating_mask(rng, height, width, u, parameters.number("brush_edge"))
    progress(0.3, "Printing the negative")
    plane = colour.luma(photo) * np.float32(0.45) + photo[:, :, 2] * np.float32(0.55)  # blind to red
    tone = colour.local_contrast(colour.levels(plane, 0.5, 99.5, 1.8), 1.3)
    tone = guided_filter(tone, tone, 1.6 * u, 0.0008)
    progress(0.5, "Exposing to the sun")
    strength = parameters.number("exposure")
    tone = np.clip(tone, 0, 1) ** np.float32(0.75 + 0.7 * strength)
    tone = smoothstep(-0.08, 1.06, tone)
    blue = (1 - tone) * np.float32(0.96) + np.float32(0.02)
    progress(0.68, "Washing in cold water")
    uneven = 1 + np.float32(0.05) * fractal_noise(rng, height, width, 260 * u, 5)
    uneven += (np.float32(0.5) - paper) * np.float32(0.16) + np.float32(0.022) * white_noise(rng, height, width, 0.8 * u)
    blue = np.clip(blue * uneven * coat, 0, 1)
    progress(0.84, "Drying")
    stops = [
        (0.0, "#f6f2e6"),
        (0.12, "#dfe5e6"),
        (0.35, "#9dbbd2"),
        (0.6, "#4b82b1"),
        (0.82, "#1b4a82"),
        (1.0, "#0b2650"),
    ]
    if parameters.choice("toning") == "tea":
        stops = [(0, "#efe3c8"), (0.3, "#b9b29f"), (0.6, "#6b7480"), (0.82, "#2f3d52"), (1, "#161d2e")]
    print_ = colour.ramp(blue, stops)
    progress(0.95, "Lighting the sheet")
    shade = paper_textures.shade_relief(paper, 0.3 / max(u, 0.5) ** 0.5)
    return np.clip(print_ * (1 + (shade - 1) * np.float32(0.06))[:, :, None], 0, 1)


def _coating_mask(rng: Generator, height: int, width: int, u: float, rough: float) -> Pixels:
    """Return where the sensitiser is: full inside, brush marks running out over the margin."""
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    across = np.minimum(x, width - 1 - x)
    down = np.minimum(y, height - 1 - y)
    bristles = cv2.GaussianBlur(white_noise(rng, height, width), (0, 0), sigmaX=min(60 * u, width / 4), sigmaY=1.1 * u)
    bristles += cv2.GaussianBlur(white_noise(rng, height, width), (0, 0), sigmaX=min(80 * u, width / 4), sigmaY=7 * u) * 2.4
    bristles /= np.float32(max(float(bristles.std()), 1e-6))
    margin, reach = np.float32(50 * u), np.float32((8 + 22 * rough) * u)
    broad = fractal_noise(rng, height, width, 300 * u, 3) * reach * np.float32(0.4)
    sideways = smoothstep(-0.6, 0.75, (across - margin + broad) / reach + bristles * np.float32(0.8))
    upright = smoothstep(0, float(4 * u), down - margin + broad)
    coat = sideways * upright
    pooled = np.clip(coat - blur(coat, 6 * u), 0, 1) * np.float32(0.5)
    return np.clip(coat * np.float32(0.97) + pooled * coat, 0, 1.25)
