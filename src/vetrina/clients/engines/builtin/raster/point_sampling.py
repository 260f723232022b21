"""Points spread by weight: denser where the plane is larger (weighted Voronoi cells, Lloyd)."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels

Points = npt.NDArray[Any]
Cells = npt.NDArray[Any]


def sample(rng: Generator, weight: Pixels, count: int) -> Points:
    """Draw `count` points with the plane as probability."""
    height, width = weight.shape
    total: Points = np.cumsum(weight.ravel().astype(np.float64))
    positions = cast(Cells, np.searchsorted(total, rng.random(count) * total[-1]))
    picks = np.minimum(positions, height * width - 1)
    points = np.stack([picks % width, picks // width], axis=1).astype(np.float32)
    points += rng.random(points.shape, np.float32) - np.float32(0.5)
    return clamp_to_frame(points, height, width)


def lloyd_relax(points: Points, weight: Pixels, rounds: int) -> Points:
    """Run Lloyd's rounds: each point moves to the weighted centre of its cell."""
    height, width = weight.shape
    x = np.tile(np.arange(width, dtype=np.float32), height)
    y = np.repeat(np.arange(height, dtype=np.float32), width)
    flat = weight.ravel()
    for _ in range(rounds):
        cells = voronoi(points, height, width).ravel()
        mass = np.bincount(cells, flat, len(points))
        good = mass > 1e-9
        mx = np.bincount(cells, flat * x, len(points))
        my = np.bincount(cells, flat * y, len(points))
        points = points.copy()
        points[good, 0] = mx[good] / mass[good]
        points[good, 1] = my[good] / mass[good]
    return clamp_to_frame(points, height, width)


def voronoi(points: Points, height: int, width: int) -> Cells:
    """Return for each pixel the index of the nearest point; of points on one pixel, one of them."""
    free = np.ones((height, width), np.uint8)
    x: Cells = np.clip((points[:, 0] + 0.5).astype(np.int32), 0, width - 1)
    y: Cells = np.clip((points[:, 1] + 0.5).astype(np.int32), 0, height - 1)
    free[y, x] = 0
    transform = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = cast(Cells, transform[1])
    owner = np.zeros(int(labels.max()) + 1, np.int32)
    owner[labels[y, x]] = np.arange(len(points), dtype=np.int32)
    return owner[labels]


def cell_means(cells: Cells, picture: Pixels, count: int) -> Pixels:
    """Return the mean colour of each cell, (count, 3)."""
    flat = cells.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    channels = [np.bincount(flat, picture[:, :, c].ravel(), count) / size for c in range(3)]
    return np.stack(channels, axis=1).astype(np.float32)


def clamp_to_frame(points: Points, height: int, width: int) -> Points:
    """Return (x, y) points moved into a frame of this size in pixels."""
    return np.clip(points, 0, np.array([width - 1, height - 1], np.float32)).astype(np.float32)
