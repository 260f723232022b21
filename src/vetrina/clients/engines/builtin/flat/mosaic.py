"""Roman mosaic: turned square tesserae in rows along the contours."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures, point_sampling, superpixels
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter
from vetrina.clients.engines.builtin.raster.strokes import values_at
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow, bias_towards, estimate_flow
from vetrina.clients.engines.builtin.rng import white_noise

Points = npt.NDArray[Any]


def mosaic(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render square tesserae in rows along the contours, each tilted differently, in grey grout."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    side = max(parameters.number("tile") * u, 4.0)
    progress(0.0, "Drawing the cartoon")
    art = colour.saturate(colour.contrast(bilateral_filter(photo, 3 * u, 0.07, 2), 0.35), 1.35)
    field = bias_towards(estimate_flow(photo, 0.9 * side), 0, 0.02)
    edges = superpixels.edge_weight(art, 0.35 * side)
    progress(0.22, "Setting out the rows")
    placed = point_sampling.sample(rng, np.ones((height, width), np.float32), max(int(height * width / side**2), 4))
    pull = 1 - np.float32(0.85) * edges  # pieces keep off the contour, so rows form on both sides
    for turn in range(3):
        progress(0.28 + 0.1 * turn, "Letting the pieces settle")
        placed = _settle(placed, pull, field, side, 3)
    progress(0.6, "Cutting the tesserae")
    cells, gap, along_x, along_y = _squares(placed, field, height, width)
    joint = parameters.number("grout") * 0.22 * side
    inside = np.minimum(np.float32(side * 0.60) - gap, superpixels.distance_to_border(cells) - np.float32(joint / 2))
    progress(0.74, "Choosing the smalti")
    shades = point_sampling.cell_means(cells, art, len(placed))
    shades = shades * (1 + rng.normal(0, 0.055, (len(placed), 1)).astype(np.float32))
    shades += rng.normal(0, 0.018, shades.shape).astype(np.float32)
    progress(0.84, "Setting them in the grout")
    tile = np.clip(shades, 0.02, 1)[cells]
    tilt = rng.normal(0, 0.09, (len(placed), 2)).astype(np.float32)
    slope = (tilt[cells, 0] * along_x + tilt[cells, 1] * along_y) / np.float32(side * 0.5)
    rough = white_noise(rng, height, width, max(1.0 * u, 0.6)) * np.float32(0.012)
    bevel = smoothstep(0, float(0.22 * side), inside)
    lit = tile * (0.86 + 0.22 * bevel + slope + rough)[:, :, None]
    edge_light = paper_textures.shade_relief(blur(bevel, 0.8), 1.1)
    lit *= (1 + (edge_light - 1) * np.float32(0.2))[:, :, None]
    grout = floats([0.60, 0.575, 0.53]) * np.float32(0.55)
    bed = grout * (1 + 0.09 * white_noise(rng, height, width, max(1.2 * u, 0.7)))[:, :, None]
    cover = np.clip(inside / np.float32(max(0.9 * u, 0.6)) + np.float32(0.5), 0, 1)
    shade = blur(np.roll(cover, (max(round(1.6 * u), 1), max(round(1.6 * u), 1)), (0, 1)), 1.2 * u)
    progress(0.95, "Polishing")
    return np.clip(mix(bed * (1 - np.float32(0.35) * shade)[:, :, None], lit, cover), 0, 1)


def _settle(placed: Points, weight: Pixels, field: Flow, side: float, rounds: int) -> Points:
    """Run Lloyd's rounds in the squares' metric, on a small copy, so that neighbours line up."""
    height, width = weight.shape
    scale = min(1.0, 6.0 / side)
    small = (max(round(height * scale), 8), max(round(width * scale), 8))
    sx, sy = small[1] / width, small[0] / height
    less = Flow(*(resize(plane, *small) for plane in field))
    mass_plane = resize(weight, *small).ravel()
    x = np.tile(np.arange(small[1], dtype=np.float32), small[0])
    y = np.repeat(np.arange(small[0], dtype=np.float32), small[1])
    spots = placed * floats([sx, sy])
    for _ in range(rounds):
        cells = _squares(spots, less, *small)[0].ravel()
        mass = np.bincount(cells, mass_plane, len(spots))
        good = mass > 1e-6
        spots = spots.copy()
        spots[good, 0] = (np.bincount(cells, mass_plane * x, len(spots))[good] / mass[good]).astype(np.float32)
        spots[good, 1] = (np.bincount(cells, mass_plane * y, len(spots))[good] / mass[good]).astype(np.float32)
    return point_sampling.clamp_to_frame(spots / floats([sx, sy]), height, width)


def _squares(placed: Points, field: Flow, height: int, width: int) -> tuple[npt.NDArray[Any], Pixels, Pixels, Pixels]:
    """Return each pixel's piece by the rotated square metric, its distance in it, and its position along the axes.

    Starts from the ordinary Voronoi cells and lets every pixel compare the pieces of its neighbourhood
    (a few rounds of the jump flood, from far to near).
    """
    owner = point_sampling.voronoi(placed, height, width)
    ux, uy = values_at(field.x, placed), values_at(field.y, placed)
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]

    def place(index: npt.NDArray[Any]) -> tuple[Pixels, Pixels]:
        dx, dy = x - placed[index, 0], y - placed[index, 1]
        cx, cy = ux[index], uy[index]
        return dx * cx + dy * cy, dy * cx - dx * cy

    a, b = place(owner)
    best = np.maximum(np.abs(a), np.abs(b))
    spacing = max(2, round((height * width / max(len(placed), 1)) ** 0.5 * 0.5))
    for jump in (spacing, max(spacing // 2, 1), 1):
        for dy, dx in ((0, jump), (0, -jump), (jump, 0), (-jump, 0)):
            other = superpixels.shift_labels(owner, dy, dx)
            pa, pb = place(other)
            near = np.maximum(np.abs(pa), np.abs(pb))
            closer = near < best
            owner = np.where(closer, other, owner)
            best = np.where(closer, near, best)
    a, b = place(owner)
    return owner, best, a, b
