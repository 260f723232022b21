"""Edge-preserving smoothing: guided filter, bilateral filter, Kuwahara filter."""

from __future__ import annotations

import cv2
import numpy as np

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.raster.image_io import resize, size_of


def guided_filter(plane: Pixels, guide: Pixels, radius: float, epsilon: float) -> Pixels:
    """Apply He's guided filter: smooth `plane` along the edges of the grey `guide`."""
    side = 2 * max(1, round(radius)) + 1
    box = (side, side)

    def mean(value: Pixels) -> Pixels:
        return cv2.boxFilter(value, cv2.CV_32F, box, borderType=cv2.BORDER_REFLECT)

    if plane.ndim == 3:
        return np.dstack([guided_filter(plane[:, :, c], guide, radius, epsilon) for c in range(plane.shape[2])])
    guide_mean, plane_mean = mean(guide), mean(plane)
    variance = mean(guide * guide) - guide_mean * guide_mean
    covariance = mean(guide * plane) - guide_mean * plane_mean
    slope = covariance / (variance + np.float32(epsilon))
    return mean(slope) * guide + mean(plane_mean - slope * guide_mean)


def bilateral_filter(picture: Pixels, radius: float, strength: float, passes: int = 3) -> Pixels:
    """Apply repeated bilateral filtering at a size where `radius` is a few pixels: flat areas, firm edges."""
    height, width = size_of(picture)
    shrink = max(1.0, min(radius / 3.0, min(height, width) / 48))
    small = resize(picture, round(height / shrink), round(width / shrink))
    space = radius / shrink
    for _ in range(passes):
        small = cv2.bilateralFilter(small, -1, strength, min(space, 4.0))
    return resize(small, height, width)


def kuwahara_filter(picture: Pixels, radius: float) -> Pixels:
    """Apply the generalised Kuwahara filter: each pixel takes the colours of the least varying of eight sectors.

    Sectors are shifted box windows, so that the cost does not grow with the radius.
    """
    size = max(1, round(radius * 0.62))
    box = (2 * size + 1, 2 * size + 1)
    mean = cv2.boxFilter(picture, -1, box, borderType=cv2.BORDER_REFLECT)
    square = cv2.boxFilter(picture * picture, -1, box, borderType=cv2.BORDER_REFLECT)
    variance_sum = np.maximum(square - mean * mean, 0).sum(axis=2)
    total = np.zeros_like(picture)
    weights = np.zeros(picture.shape[:2], np.float32)
    for index in range(8):
        a = index * np.pi / 4
        dx, dy = round(np.cos(a) * size), round(np.sin(a) * size)
        near = _shift(variance_sum, dx, dy)
        weight = 1 / (np.float32(2e-4) + near) ** np.float32(3)
        total += _shift(mean, dx, dy) * weight[:, :, None]
        weights += weight
    return total / weights[:, :, None]


def _shift(plane: Pixels, dx: int, dy: int) -> Pixels:
    height, width = plane.shape[:2]
    edge = max(abs(dx), abs(dy))
    wide = cv2.copyMakeBorder(plane, edge, edge, edge, edge, cv2.BORDER_REFLECT)
    return wide[edge + dy : edge + dy + height, edge + dx : edge + dx + width]
