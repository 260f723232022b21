"""Stained glass: superpixels as panes, leaded and lit from behind."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vetrina.clients.engines.builtin.progress import Knobs, Steps
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster import paper_textures as surface
from vetrina.clients.engines.builtin.raster import point_sampling as points
from vetrina.clients.engines.builtin.raster import superpixels as cells_
from vetrina.clients.engines.builtin.raster.image_io import Pixels, blur, floats, mix, resized, size_of, smoothstep, unit
from vetrina.clients.engines.builtin.raster.smoothing import flattened, kuwahara
from vetrina.clients.engines.builtin.rng import Chance, clouds


def stained_glass(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """Panes of coloured glass cut along the picture's shapes, leaded, lit from behind."""
    height, width = size_of(photo)
    u = unit(photo)
    pane = max(knobs.number("pane") * u, 8.0)
    step(0.0, "Drawing the cartoon")
    art = kuwahara(flattened(photo, 7 * u, 0.13, 4), 0.22 * pane)
    tone = colour.lab(art)
    tone[:, :, 0] = 16 + 78 * colour.levels(tone[:, :, 0] / 100, 1, 98)
    tone[:, :, 1:] *= np.float32(1.1 + 0.5 * knobs.number("glow"))
    step(0.24, "Cutting the glass")
    placed = points.sample(rng, 0.6 + cells_.edges(art, pane * 0.3), max(int(height * width / pane**2), 6))
    shape_weight = np.float32(1.3)
    half = (max(height // 2, 8), max(width // 2, 8))
    small = np.dstack([resized(np.ascontiguousarray(tone[:, :, c]), *half) for c in range(3)])
    cells = points.voronoi(placed / 2, *half)
    for turn in range(4):
        step(0.3 + 0.1 * turn, "Fitting the panes to the shapes")
        cells = _regrown(small, cells, len(placed), pane / 2, float(shape_weight))
    full = cv2.resize(cells.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST).astype(
        np.int32
    )
    full = _rounded(full, 2.2 * u)
    step(0.74, "Leading the panes")
    batch = points.means(full, tone, len(placed))  # no two panes are from the same batch of glass
    batch[:, 0] *= 1 + rng.normal(0, 0.06, len(batch)).astype(np.float32)
    batch[:, 1:] += rng.normal(0, 5.5, (len(batch), 2)).astype(np.float32)
    glass = np.clip(colour.from_lab(batch[None])[0], 0.015, 1)[full]
    distance = cells_.from_border(full)
    lead_width = np.float32(knobs.number("lead") * u)
    step(0.86, "Letting the light through")
    ripples = clouds(rng, height, width, 38 * u, 4) * np.float32(0.06) + clouds(
        rng, height, width, 9 * u, 2
    ) * np.float32(0.025)
    glow = smoothstep(float(lead_width), float(lead_width + pane * 0.55), distance)
    lit = glass * (0.74 + 0.34 * glow + ripples)[:, :, None]
    halo = blur(lit, 14 * u)
    lit = 1 - (1 - np.clip(lit, 0, 1)) * (1 - np.clip(halo, 0, 1) * np.float32(0.22))
    lead = np.clip((lead_width - distance) / np.float32(max(0.9 * u, 0.6)) + np.float32(0.5), 0, 1)
    came = surface.relief(blur(np.clip(lead_width - distance, 0, None), 0.9 * u), 0.8)
    metal = floats([0.10, 0.10, 0.115]) * (1 + (came - 1) * np.float32(1.4))[:, :, None]
    step(0.96, "Fixing the window")
    return np.clip(mix(lit, np.clip(metal, 0.02, 0.5), lead), 0, 1)


def _regrown(
    small: Pixels, cells: npt.NDArray[Any], count: int, pane: float, weight: float
) -> npt.NDArray[Any]:
    """One round of superpixels (SLIC's measure): pixels go to the nearest of the panes around them."""
    height, width = cells.shape
    flat = cells.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    x = np.tile(np.arange(width, dtype=np.float32), height)
    y = np.repeat(np.arange(height, dtype=np.float32), width)
    cx = (np.bincount(flat, x, count) / size).astype(np.float32)
    cy = (np.bincount(flat, y, count) / size).astype(np.float32)
    shade = points.means(cells, small, count)
    x2, y2 = x.reshape(height, width), y.reshape(height, width)

    def cost(index: npt.NDArray[Any]) -> Pixels:
        dx, dy = x2 - cx[index], y2 - cy[index]
        gap = ((small - shade[index]) ** 2).sum(axis=2)
        return gap * np.float32(weight / 100) + (dx * dx + dy * dy) * np.float32(100 / pane**2)

    best = cost(cells)
    for jump in (max(round(pane * 0.6), 1), max(round(pane * 0.25), 1), 1):
        for dy, dx in ((0, jump), (0, -jump), (jump, 0), (-jump, 0)):
            other = cells_.neighbour(cells, dy, dx)
            price = cost(other)
            better = price < best
            cells = np.where(better, other, cells)
            best = np.where(better, price, best)
    return cells


def _rounded(cells: npt.NDArray[Any], reach: float) -> npt.NDArray[Any]:
    """Ragged borders smoothed: each pixel looks where the blurred field of its labels points (median)."""
    side = 2 * max(1, round(reach)) + 1
    low, high = (cells & 0xFF).astype(np.uint8), (cells >> 8).astype(np.uint8)
    votes = cv2.medianBlur(low, side).astype(np.int32), cv2.medianBlur(high, side).astype(np.int32)
    merged = votes[0] | (votes[1] << 8)
    known = np.zeros(int(cells.max()) + 1, bool)
    known[np.unique(cells)] = True
    valid = (merged < len(known)) & known[np.minimum(merged, len(known) - 1)]
    return np.where(valid, merged, cells)
