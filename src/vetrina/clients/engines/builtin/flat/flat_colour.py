"""Flat colour: comic book, travel poster, layered cut paper."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, halftone, paper_textures
from vetrina.clients.engines.builtin.raster.edge_lines import lines_and_blacks, outlines
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, kuwahara_filter
from vetrina.clients.engines.builtin.raster.structure_tensor import estimate_flow
from vetrina.clients.engines.builtin.rng import fractal_noise, warp_by_noise, white_noise


def comic(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render bold outlines with solid blacks, flat colours, and Ben-Day dots in the half-shadows."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Pencilling")
    calm = bilateral_filter(photo, 4.5 * u, 0.10)
    tone = colour.local_contrast(colour.levels(colour.lightness(calm)), 1.7)
    field = estimate_flow(calm, 5 * u)
    progress(0.28, "Inking outlines and blacks")
    thick = (1.2 + 1.5 * parameters.number("line")) * u
    ink = lines_and_blacks(tone, field, thick, weight=22, level=0.30, sharp=9)
    fine = outlines(colour.luma(bilateral_filter(photo, 2.5 * u, 0.07, 2)), field, 1.35 * u, tau=0.991, sharp=130)
    ink = smoothstep(0.25, 0.7, np.maximum(ink, fine * np.float32(0.8)))
    progress(0.6, "Filling in flat colours")
    steps = parameters.integer("tones")
    base = colour.saturate(kuwahara_filter(calm, 6 * u), 1.2 + 1.1 * parameters.number("colour"))
    cel = colour.lab(base)
    cel[:, :, 0] = _quantize(100 * colour.levels(cel[:, :, 0] / 100, 1, 97, 1.6), 100 / steps, 10, 14)
    cel[:, :, 1:] *= np.float32(1.12)
    flat = colour.from_lab(cel)
    progress(0.78, "Laying Ben-Day dots")
    shade = smoothstep(0.60, 0.34, tone) * np.float32(0.58)
    dots = halftone.dots(shade, max(parameters.number("dots") * u, 3.6), 45.0)
    flat = mix(flat, flat * floats([0.66, 0.66, 0.80]), dots)
    progress(0.9, "Printing on newsprint")
    paper = 0.985 + 0.03 * (paper_textures.paper_tooth(rng, height, width, max(2 * u, 1)) - 0.5)
    page = flat * floats([1.0, 0.985, 0.94]) * np.float32(0.965) + np.float32(0.03)
    page = mix(page, np.broadcast_to(floats([0.055, 0.05, 0.075]), page.shape), ink * np.float32(0.97))
    return np.clip(page * paper[:, :, None], 0, 1)


def _quantize(value: Pixels, tread: float, sharp: float, lift: float) -> Pixels:
    """Return the value in steps of `tread` with short soft transitions (Winnemoeller), raised above black by `lift`."""
    whole = np.floor(value / np.float32(tread)) * np.float32(tread) + np.float32(tread / 2)
    stepped = whole + np.float32(tread / 2) * np.tanh((value - whole) * np.float32(sharp / tread) - 0.0)
    return np.clip(np.float32(lift) + stepped * np.float32((100 - lift) / 100), 0, 100)


def poster(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render a travel poster: few flat inks, smooth shapes, sprayed grain at their borders, a margin."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Simplifying the shapes")
    simple = bilateral_filter(photo, 7 * u, 0.12, 4)
    simple = kuwahara_filter(simple, parameters.number("simplicity") * 12 * u + 4 * u)
    warm = _brighten(simple)
    progress(0.24, "Choosing the inks")
    inks = colour.palette(warm, parameters.integer("inks"), rng)
    index = _smooth_regions(colour.lab(warm), inks, (3.5 + 5 * parameters.number("simplicity")) * u)
    inks = _adjust_inks(inks)
    progress(0.46, "Cutting the stencils")
    flat = colour.from_lab(inks[None])[0][index]
    progress(0.6, "Spraying the shadows")
    tone = 100 * colour.lightness(blur(warm, 3 * u))
    own = tone - _mean_by_area(tone, index, len(inks))
    spray = white_noise(rng, height, width, max(0.8 * u, 0.5))
    amount = 4.4 * parameters.number("grain")
    shadow = smoothstep(1, 15, -own) * np.float32(amount)
    lit = smoothstep(1, 15, own) * np.float32(amount)
    flat = mix(flat, flat * floats([0.70, 0.66, 0.76]), smoothstep(0.2, -0.2, spray + 2.9 - shadow))
    pale = np.clip(flat * np.float32(0.66) + floats([0.34, 0.325, 0.28]), 0, 1)
    flat = mix(flat, pale, smoothstep(0.2, -0.2, 2.9 - spray - lit))
    progress(0.82, "Trimming the margin")
    sheet = _add_margin(flat, u) if parameters.boolean("margin") else flat
    worn = 1 + np.float32(0.012) * fractal_noise(rng, height, width, 240 * u, 5)
    tooth = paper_textures.paper_tooth(rng, height, width, max(1.8 * u, 1))
    return np.clip(sheet * (worn * (0.985 + 0.03 * tooth))[:, :, None] * floats([1, 0.992, 0.965]), 0, 1)


def _brighten(picture: Pixels) -> Pixels:
    """Return the picture with stretched tones and clearer colours, as in full daylight."""
    tone = colour.lab(picture)
    tone[:, :, 0] = 12 + 84 * colour.levels(tone[:, :, 0] / 100, 1, 98, 1.9) ** np.float32(0.85)
    strength = np.hypot(tone[:, :, 1], tone[:, :, 2])[:, :, None]
    tone[:, :, 1:] *= 1 + np.float32(0.75) * smoothstep(70, 6, strength) * smoothstep(2, 10, strength)
    return colour.from_lab(tone)


def _mean_by_area(plane: Pixels, index: npt.NDArray[Any], count: int) -> Pixels:
    flat = index.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    return (np.bincount(flat, plane.ravel(), count) / size).astype(np.float32)[index]


def _smooth_regions(picture: Pixels, inks: Pixels, sigma: float) -> npt.NDArray[Any]:
    """Return each pixel's ink with smooth borders of the regions: the strongest blurred membership."""
    first = colour.nearest(picture, inks)
    best = np.zeros(first.shape, np.float32)
    result = np.zeros(first.shape, np.intp)
    for number in range(len(inks)):
        here = blur((first == number).astype(np.float32), sigma)
        ahead = here > best
        best[ahead] = here[ahead]
        result[ahead] = number
    return result


def _adjust_inks(inks: Pixels) -> Pixels:
    """Return the inks a little warmer and further apart in tone; the darkest deep blue, the lightest cream."""
    mixed = inks.copy()
    lowest, highest = float(inks[0, 0]), float(inks[-1, 0])
    span = max(highest - lowest, 12.0)
    mixed[:, 0] = 20 + (inks[:, 0] - lowest) / span * 74 if highest - lowest > 12 else inks[:, 0]
    mixed[:, 1:] *= 1.12
    mixed[0, 1:] = mixed[0, 1:] * 0.35 + floats([4, -16]) * 0.65
    mixed[-1, 1:] = mixed[-1, 1:] * 0.55 + floats([1, 12]) * 0.45
    return mixed


def _add_margin(flat: Pixels, u: float) -> Pixels:
    height, width = size_of(flat)
    margin = round(52 * u)
    if min(height, width) < 5 * margin:
        return flat
    cream = floats([0.965, 0.94, 0.87])
    sheet = np.broadcast_to(cream, flat.shape).copy()
    inner_height, inner_width = height - 2 * margin, width - 2 * margin
    scale = max(inner_height / height, inner_width / width)
    whole = resize(flat, max(round(height * scale), inner_height), max(round(width * scale), inner_width))
    top, left = (whole.shape[0] - inner_height) // 2, (whole.shape[1] - inner_width) // 2
    sheet[margin : height - margin, margin : width - margin] = whole[top : top + inner_height, left : left + inner_width]
    return sheet


def cut_paper(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render sheets of coloured paper stacked by tone, each with a soft shadow on those below."""
    u = reference_scale(photo)
    sheets = parameters.integer("sheets")
    progress(0.0, "Sketching the layers")
    simple = _brighten(kuwahara_filter(bilateral_filter(photo, 7 * u, 0.12, 4), 9 * u))
    simple = warp_by_noise(simple, rng, 1.2 * u, 40 * u)
    progress(0.14, "Choosing the papers")
    papers = colour.palette(simple, sheets, rng)
    index = _smooth_regions(colour.lab(simple), papers, 6.5 * u)
    papers = _adjust_inks(papers)
    if parameters.choice("on_top") == "dark":
        papers, index = papers[::-1], len(papers) - 1 - index
    progress(0.22, "Laying the lowest sheet")
    result = _sheet(papers[0], photo.shape, rng, u)
    depth = parameters.number("depth")
    for number in range(1, len(papers)):
        progress(0.26 + 0.68 * number / len(papers), f"Cutting sheet {number + 1} of {len(papers)}")
        mask = smoothstep(0.35, 0.65, blur((index >= number).astype(np.float32), 1.1 * u))
        under = result * (1 - np.float32(0.62) * _sheet_shadow(mask, u, depth) * (1 - mask))[:, :, None]
        rim = np.clip(mask - _translate(mask, 1.3 * u, 1.3 * u), 0, 1) * np.float32(0.13)
        sheet = _sheet(papers[number], photo.shape, rng, u)
        result = mix(under, np.clip(sheet + rim[:, :, None], 0, 1), mask)
    progress(0.95, "Photographing the stack")
    return np.clip(result, 0, 1)


def _sheet(paper: Pixels, shape: tuple[int, ...], rng: Generator, u: float) -> Pixels:
    """Return one dyed sheet: a flat colour, fibres, a slightly uneven dye."""
    height, width = shape[:2]
    fibre = paper_textures.paper_tooth(rng, height, width, max(2.4 * u, 1.1)) - np.float32(0.5)
    dye = fractal_noise(rng, height, width, 220 * u, 3)
    shade = 1 + np.float32(0.055) * fibre + np.float32(0.012) * dye
    return colour.from_lab(paper[None, None])[0, 0] * shade[:, :, None]


def _sheet_shadow(mask: Pixels, u: float, depth: float) -> Pixels:
    near = blur(_translate(mask, 3 * u * depth, 4 * u * depth), 2.2 * u * depth + 0.3)
    far = blur(_translate(mask, 8 * u * depth, 11 * u * depth), 9 * u * depth + 0.3)
    return np.clip(near * np.float32(0.55) + far * np.float32(0.65), 0, 1)


def _translate(plane: Pixels, dx: float, dy: float) -> Pixels:
    height, width = plane.shape
    matrix = floats([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
