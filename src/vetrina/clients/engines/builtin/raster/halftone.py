"""Halftone screens: tones as dots of different sizes."""

from __future__ import annotations

import numpy as np

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.rng import pixel_grid


def dots(cover: Pixels, period: float, degrees: float, soft: float = 1.0) -> Pixels:
    """Return round dots on a rotated grid, `period` pixels apart: ink 0 to 1 that covers `cover` of the paper."""
    u, v = _rotated_phase(cover, period, degrees)
    return _threshold_to_cover(cover, (np.cos(u) + np.cos(v)) / 2, period, soft)


def _rotated_phase(plane: Pixels, period: float, degrees: float) -> tuple[Pixels, Pixels]:
    height, width = plane.shape
    x, y = pixel_grid(height, width)
    frequency = np.float32(2 * np.pi / period)
    c, s = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
    return (x * c + y * s) * frequency, (y * c - x * s) * frequency


def _threshold_to_cover(cover: Pixels, spot: Pixels, period: float, soft: float) -> Pixels:
    """Return ink where the spot function is above the level at which `cover` of a cell is inked."""
    t = np.linspace(0, 2 * np.pi, 97, endpoint=False)
    cell = ((np.cos(t)[:, None] + np.cos(t)[None, :]) / 2).ravel()
    table = np.quantile(cell, np.linspace(1, 0, 257)).astype(np.float32)
    place = np.clip(cover, 0, 1) * 256
    low = np.minimum(place.astype(np.int32), 255)
    level = table[low] + (table[low + 1] - table[low]) * (place - low)
    slope = np.float32(period / (4.4 * soft))  # about one pixel from paper to ink
    ink = np.clip((spot - level) * slope + np.float32(0.5), 0, 1)
    return np.where(cover <= 0.004, np.float32(0), np.where(cover >= 0.996, np.float32(1), ink))
