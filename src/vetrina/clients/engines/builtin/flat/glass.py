"""Stained glass: superpixels as panes, leaded and lit from behind."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, paper_textures, point_sampling, superpixels
from vetrina.clients.engines.builtin.raster.image_io import blur, mix, reference_scale, resize, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, kuwahara_filter
from vetrina.clients.engines.builtin.rng import fractal_noise


def stained_glass(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render panes of coloured glass along the picture's shapes, leaded, lit from behind."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    pane = max(parameters.number("pane") * u, 8.0)
    progress(0.0, "Drawing the cartoon")
    art = kuwahara_filter(bilateral_filter(photo, 7 * u, 0.13, 4), 0.22 * pane)
    tone = colour.lab(art)
    tone[:, :, 0] = 16 + 78 * colour.levels(tone[:, :, 0] / 100, 1, 98)
    tone[:, :, 1:] *= np.float32(1.1 + 0.5 * parameters.number("glow"))
    progress(0.24, "Cutting the glass")
    placed = point_sampling.sample(rng, 0.6 + superpixels.edge_weight(art, pane * 0.3), max(int(height * width / pane**2), 6))
    shape_weight = np.float32(1.3)
    half = (max(height // 2, 8), max(width // 2, 8))
    small = np.dstack([resize(np.ascontiguousarray(tone[:, :, c]), *half) for c in range(3)])
    cells = point_sampling.voronoi(placed / 2, *half)
    for round_number in range(4):
        progress(0.3 + 0.1 * round_number, "Fitting the panes to the shapes")
        cells = _slic_round(small, cells, len(placed), pane / 2, float(shape_weight))
    labels = cv2.resize(cells.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST).astype(np.int32)
    labels = _smooth_borders(labels, 2.2 * u)
    progress(0.74, "Leading the panes")
    batch = point_sampling.cell_means(labels, tone, len(placed))  # no two panes are from the same batch of glass
    batch[:, 0] *= 1 + rng.normal(0, 0.06, len(batch)).astype(np.float32)
    batch[:, 1:] += rng.normal(0, 5.5, (len(batch), 2)).astype(np.float32)
    glass = np.clip(colour.from_lab(batch[None])[0], 0.015, 1)[labels]
    distance = superpixels.distance_to_border(labels)
    lead_width = np.float32(parameters.number("lead") * u)
    progress(0.86, "Letting the light through")
    ripples = fractal_noise(rng, height, width, 38 * u, 4) * np.float32(0.06) + fractal_noise(
        rng, height, width, 9 * u, 2
    ) * np.float32(0.025)
    glow = smoothstep(float(lead_width), float(lead_width + pane * 0.55), distance)
    lit = glass * (0.74 + 0.34 * glow + ripples)[:, :, None]
    halo = blur(lit, 14 * u)
    lit = 1 - (1 - np.clip(lit, 0, 1)) * (1 - np.clip(halo, 0, 1) * np.float32(0.22))
    lead = np.clip((lead_width - distance) / np.float32(max(0.9 * u, 0.6)) + np.float32(0.5), 0, 1)
    came = paper_textures.shade_relief(blur(np.clip(lead_width - distance, 0, None), 0.9 * u), 0.8)
    metal = floats([0.10, 0.10, 0.115]) * (1 + (came - 1) * np.float32(1.4))[:, :, None]
    progress(0.96, "Fixing the window")
    return np.clip(mix(lit, np.clip(metal, 0.02, 0.5), lead), 0, 1)


def _slic_round(small: Pixels, cells: npt.NDArray[Any], count: int, pane: float, weight: float) -> npt.NDArray[Any]:
    """Run one round of superpixels (SLIC's metric): pixels move to the nearest pane around them."""
    height, width = cells.shape
    flat = cells.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    x = np.tile(np.arange(width, dtype=np.float32), height)
    y = np.repeat(np.arange(height, dtype=np.float32), width)
    cx = (np.bincount(flat, x, count) / size).astype(np.float32)
    cy = (np.bincount(flat, y, count) / size).astype(np.float32)
    shade = point_sampling.cell_means(cells, small, count)
    x2, y2 = x.reshape(height, width), y.reshape(height, width)

    def cost(index: npt.NDArray[Any]) -> Pixels:
        dx, dy = x2 - cx[index], y2 - cy[index]
        gap = ((small - shade[index]) ** 2).sum(axis=2)
        return gap * np.float32(weight / 100) + (dx * dx + dy * dy) * np.float32(100 / pane**2)

    best = cost(cells)
    for jump in (max(round(pane * 0.6), 1), max(round(pane * 0.25), 1), 1):
        for dy, dx in ((0, jump), (0, -jump), (jump, 0), (-jump, 0)):
            other = superpixels.shift_labels(cells, dy, dx)
            other_cost = cost(other)
            better = other_cost < best
            cells = np.where(better, other, cells)
            best = np.where(better, other_cost, best)
    return cells


def _smooth_borders(cells: npt.NDArray[Any], reach: float) -> npt.NDArray[Any]:
    """Smooth ragged borders by a median of the labels."""
    side = 2 * max(1, round(reach)) + 1
    low, high = (cells & 0xFF).astype(np.uint8), (cells >> 8).astype(np.uint8)
    votes = cv2.medianBlur(low, side).astype(np.int32), cv2.medianBlur(high, side).astype(np.int32)
    merged = votes[0] | (votes[1] << 8)
    used_labels = np.zeros(int(cells.max()) + 1, bool)
    used_labels[np.unique(cells)] = True
    valid = (merged < len(used_labels)) & used_labels[np.minimum(merged, len(used_labels) - 1)]
    return np.where(valid, merged, cells)
