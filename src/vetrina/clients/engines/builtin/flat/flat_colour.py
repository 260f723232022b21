"""Flat colour: comic book, travel poster, layered cut paper."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vetrina.clients.engines.builtin.printing import halftone
from vetrina.clients.engines.builtin.progress import Knobs, Steps
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster import paper_textures as surface
from vetrina.clients.engines.builtin.raster.edge_lines import lines_and_blacks, outlines
from vetrina.clients.engines.builtin.raster.image_io import Pixels, blur, floats, mix, resized, size_of, smoothstep, unit
from vetrina.clients.engines.builtin.raster.smoothing import flattened, kuwahara
from vetrina.clients.engines.builtin.raster.structure_tensor import flow
from vetrina.clients.engines.builtin.rng import Chance, clouds, displaced, grain


def comic(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """Bold brush outlines with spotted blacks, flat cel colours, Ben-Day dots in the half-shadows."""
    height, width = size_of(photo)
    u = unit(photo)
    step(0.0, "Pencilling")
    calm = flattened(photo, 4.5 * u, 0.10)
    tone = colour.local_contrast(colour.levels(colour.light(calm)), 1.7)
    field = flow(calm, 5 * u)
    step(0.28, "Inking outlines and blacks")
    thick = (1.2 + 1.5 * knobs.number("line")) * u
    ink = lines_and_blacks(tone, field, thick, weight=22, level=0.30, sharp=9)
    fine = outlines(colour.grey(flattened(photo, 2.5 * u, 0.07, 2)), field, 1.35 * u, tau=0.991, sharp=130)
    ink = smoothstep(0.25, 0.7, np.maximum(ink, fine * np.float32(0.8)))
    step(0.6, "Filling in flat colours")
    steps = knobs.whole("tones")
    base = colour.vivid(kuwahara(calm, 6 * u), 1.2 + 1.1 * knobs.number("colour"))
    cel = colour.lab(base)
    cel[:, :, 0] = _stairs(100 * colour.levels(cel[:, :, 0] / 100, 1, 97, 1.6), 100 / steps, 10, 14)
    cel[:, :, 1:] *= np.float32(1.12)
    flat = colour.from_lab(cel)
    step(0.78, "Laying Ben-Day dots")
    shade = smoothstep(0.60, 0.34, tone) * np.float32(0.58)
    dots = halftone.dots(shade, max(knobs.number("dots") * u, 3.6), 45.0)
    flat = mix(flat, flat * floats([0.66, 0.66, 0.80]), dots)
    step(0.9, "Printing on newsprint")
    paper = 0.985 + 0.03 * (surface.tooth(rng, height, width, max(2 * u, 1)) - 0.5)
    page = flat * floats([1.0, 0.985, 0.94]) * np.float32(0.965) + np.float32(0.03)
    page = mix(page, np.broadcast_to(floats([0.055, 0.05, 0.075]), page.shape), ink * np.float32(0.97))
    return np.clip(page * paper[:, :, None], 0, 1)


def _stairs(value: Pixels, tread: float, sharp: float, lift: float) -> Pixels:
    """The value in steps of `tread` with short soft risers (Winnemoeller), lifted off black by `lift`."""
    whole = np.floor(value / np.float32(tread)) * np.float32(tread) + np.float32(tread / 2)
    stepped = whole + np.float32(tread / 2) * np.tanh((value - whole) * np.float32(sharp / tread) - 0.0)
    return np.clip(np.float32(lift) + stepped * np.float32((100 - lift) / 100), 0, 100)


def poster(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """A travel poster: a handful of flat inks, smooth shapes, sprayed grain at their borders, a margin."""
    height, width = size_of(photo)
    u = unit(photo)
    step(0.0, "Simplifying the shapes")
    simple = flattened(photo, 7 * u, 0.12, 4)
    simple = kuwahara(simple, knobs.number("simplicity") * 12 * u + 4 * u)
    warm = _sunny(simple)
    step(0.24, "Choosing the inks")
    inks = colour.palette(warm, knobs.whole("inks"), rng)
    index = _smooth_areas(colour.lab(warm), inks, (3.5 + 5 * knobs.number("simplicity")) * u)
    inks = _poster_inks(inks)
    step(0.46, "Cutting the stencils")
    flat = colour.from_lab(inks[None])[0][index]
    step(0.6, "Spraying the shadows")
    tone = 100 * colour.light(blur(warm, 3 * u))
    own = tone - _mean_by_area(tone, index, len(inks))
    spray = grain(rng, height, width, max(0.8 * u, 0.5))
    amount = 4.4 * knobs.number("grain")
    shadow = smoothstep(1, 15, -own) * np.float32(amount)
    lit = smoothstep(1, 15, own) * np.float32(amount)
    flat = mix(flat, flat * floats([0.70, 0.66, 0.76]), smoothstep(0.2, -0.2, spray + 2.9 - shadow))
    pale = np.clip(flat * np.float32(0.66) + floats([0.34, 0.325, 0.28]), 0, 1)
    flat = mix(flat, pale, smoothstep(0.2, -0.2, 2.9 - spray - lit))
    step(0.82, "Trimming the margin")
    sheet = _margin(flat, u) if knobs.flag("margin") else flat
    worn = 1 + np.float32(0.012) * clouds(rng, height, width, 240 * u, 5)
    tooth = surface.tooth(rng, height, width, max(1.8 * u, 1))
    return np.clip(sheet * (worn * (0.985 + 0.03 * tooth))[:, :, None] * floats([1, 0.992, 0.965]), 0, 1)


def _sunny(picture: Pixels) -> Pixels:
    """Full daylight: the tones spread out, the colours clear."""
    tone = colour.lab(picture)
    tone[:, :, 0] = 12 + 84 * colour.levels(tone[:, :, 0] / 100, 1, 98, 1.9) ** np.float32(0.85)
    strength = np.hypot(tone[:, :, 1], tone[:, :, 2])[:, :, None]
    tone[:, :, 1:] *= 1 + np.float32(0.75) * smoothstep(70, 6, strength) * smoothstep(2, 10, strength)
    return colour.from_lab(tone)


def _mean_by_area(plane: Pixels, index: npt.NDArray[Any], count: int) -> Pixels:
    flat = index.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    return (np.bincount(flat, plane.ravel(), count) / size).astype(np.float32)[index]


def _smooth_areas(picture: Pixels, inks: Pixels, sigma: float) -> npt.NDArray[Any]:
    """Each pixel's ink after the areas' borders have been rounded: the strongest blurred membership."""
    first = colour.nearest(picture, inks)
    best = np.zeros(first.shape, np.float32)
    result = np.zeros(first.shape, np.intp)
    for number in range(len(inks)):
        here = blur((first == number).astype(np.float32), sigma)
        ahead = here > best
        best[ahead] = here[ahead]
        result[ahead] = number
    return result


def _poster_inks(inks: Pixels) -> Pixels:
    """Inks a little warmer and further apart in tone; the darkest a deep blue, the lightest cream."""
    mixed = inks.copy()
    lowest, highest = float(inks[0, 0]), float(inks[-1, 0])
    span = max(highest - lowest, 12.0)
    mixed[:, 0] = 20 + (inks[:, 0] - lowest) / span * 74 if highest - lowest > 12 else inks[:, 0]
    mixed[:, 1:] *= 1.12
    mixed[0, 1:] = mixed[0, 1:] * 0.35 + floats([4, -16]) * 0.65
    mixed[-1, 1:] = mixed[-1, 1:] * 0.55 + floats([1, 12]) * 0.45
    return mixed


def _margin(flat: Pixels, u: float) -> Pixels:
    height, width = size_of(flat)
    margin = round(52 * u)
    if min(height, width) < 5 * margin:
        return flat
    cream = floats([0.965, 0.94, 0.87])
    sheet = np.broadcast_to(cream, flat.shape).copy()
    inner_height, inner_width = height - 2 * margin, width - 2 * margin
    scale = max(inner_height / height, inner_width / width)
    whole = resized(flat, max(round(height * scale), inner_height), max(round(width * scale), inner_width))
    top, left = (whole.shape[0] - inner_height) // 2, (whole.shape[1] - inner_width) // 2
    sheet[margin : height - margin, margin : width - margin] = whole[
        top : top + inner_height, left : left + inner_width
    ]
    return sheet


def cut_paper(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """Sheets of coloured paper stacked by tone, each casting a soft shadow on those below."""
    u = unit(photo)
    sheets = knobs.whole("sheets")
    step(0.0, "Sketching the layers")
    simple = _sunny(kuwahara(flattened(photo, 7 * u, 0.12, 4), 9 * u))
    simple = displaced(simple, rng, 1.2 * u, 40 * u)
    step(0.14, "Choosing the papers")
    papers = colour.palette(simple, sheets, rng)
    index = _smooth_areas(colour.lab(simple), papers, 6.5 * u)
    papers = _poster_inks(papers)
    if knobs.word("on_top") == "dark":
        papers, index = papers[::-1], len(papers) - 1 - index
    step(0.22, "Laying the lowest sheet")
    result = _sheet(papers[0], photo.shape, rng, u)
    depth = knobs.number("depth")
    for number in range(1, len(papers)):
        step(0.26 + 0.68 * number / len(papers), f"Cutting sheet {number + 1} of {len(papers)}")
        mask = smoothstep(0.35, 0.65, blur((index >= number).astype(np.float32), 1.1 * u))
        under = result * (1 - np.float32(0.62) * _cast(mask, u, depth) * (1 - mask))[:, :, None]
        rim = np.clip(mask - _moved(mask, 1.3 * u, 1.3 * u), 0, 1) * np.float32(0.13)
        sheet = _sheet(papers[number], photo.shape, rng, u)
        result = mix(under, np.clip(sheet + rim[:, :, None], 0, 1), mask)
    step(0.95, "Photographing the stack")
    return np.clip(result, 0, 1)


def _sheet(paper: Pixels, shape: tuple[int, ...], rng: Chance, u: float) -> Pixels:
    """One dyed sheet: a flat colour, fibres, a slightly uneven dye."""
    height, width = shape[:2]
    fibre = surface.tooth(rng, height, width, max(2.4 * u, 1.1)) - np.float32(0.5)
    dye = clouds(rng, height, width, 220 * u, 3)
    shade = 1 + np.float32(0.055) * fibre + np.float32(0.012) * dye
    return colour.from_lab(paper[None, None])[0, 0] * shade[:, :, None]


def _cast(mask: Pixels, u: float, depth: float) -> Pixels:
    near = blur(_moved(mask, 3 * u * depth, 4 * u * depth), 2.2 * u * depth + 0.3)
    far = blur(_moved(mask, 8 * u * depth, 11 * u * depth), 9 * u * depth + 0.3)
    return np.clip(near * np.float32(0.55) + far * np.float32(0.65), 0, 1)


def _moved(plane: Pixels, dx: float, dy: float) -> Pixels:
    height, width = plane.shape
    matrix = floats([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(
        plane, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
