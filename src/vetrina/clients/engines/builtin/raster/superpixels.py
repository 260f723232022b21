"""Cells of mosaic and stained glass: contour weights and label operations."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster.image_io import blur, smoothstep

Cells = npt.NDArray[Any]


def distance_to_border(cells: Cells) -> Pixels:
    """Return each pixel's distance to the next cell, in pixels."""
    border = np.zeros(cells.shape, np.uint8)
    border[:, 1:] |= cells[:, 1:] != cells[:, :-1]
    border[1:] |= cells[1:] != cells[:-1]
    return cv2.distanceTransform(1 - border, cv2.DIST_L2, 5)


def edge_weight(art: Pixels, reach: float) -> Pixels:
    """Return 1 on a contour, falling to 0 about `reach` pixels away."""
    plane = colour.lab(blur(art, 1.6))
    strength = np.zeros(plane.shape[:2], np.float32)
    for channel, weight in ((0, 1.0), (1, 0.8), (2, 0.8)):
        gx = cv2.Scharr(plane[:, :, channel], cv2.CV_32F, 1, 0)
        gy = cv2.Scharr(plane[:, :, channel], cv2.CV_32F, 0, 1)
        strength += np.hypot(gx, gy) * np.float32(weight)
    near = blur(strength, reach * 0.7)
    return smoothstep(0.9, 2.4, near / np.float32(max(float(np.percentile(near, 78)), 1e-3)))


def shift_labels(plane: Cells, dy: int, dx: int) -> Cells:
    """Return the plane as seen `dy` rows and `dx` columns further; beyond the edge, its outermost labels are repeated."""
    height, width = plane.shape
    rows = _shifted_indices(height, dy)
    columns = _shifted_indices(width, dx)
    return plane[rows[:, None], columns[None, :]]


def _shifted_indices(length: int, step: int) -> Cells:
    places: Cells = np.arange(length, dtype=np.int32) + np.int32(step)
    return np.clip(places, 0, length - 1)
