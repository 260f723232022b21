"""Height maps of watercolour paper, canvas and drawing paper, and raking light on them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.raster.image_io import blur
from vetrina.clients.engines.builtin.rng import fractal_noise, pixel_grid, to_uniform, white_noise


def paper_tooth(rng: Generator, height: int, width: int, size: float) -> Pixels:
    """Return drawing paper: heights 0 to 1 with grains `size` pixels wide, a little fibrous."""
    fine = white_noise(rng, height, width, size * 0.45)
    coarse = white_noise(rng, height, width, size * 1.1)
    fibre = cv2.GaussianBlur(white_noise(rng, height, width), (0, 0), sigmaX=size * 1.8, sigmaY=size * 0.35)
    fibre /= np.float32(max(float(fibre.std()), 1e-6))
    return to_uniform(fine * np.float32(0.62) + coarse * np.float32(0.62) + fibre * np.float32(0.42))


def cold_press(rng: Generator, height: int, width: int, size: float) -> Pixels:
    """Return watercolour paper: rounded bumps `size` pixels wide with pits between them, 0 to 1."""
    bumps = white_noise(rng, height, width, size * 0.55)
    wide = white_noise(rng, height, width, size * 1.4)
    fine = white_noise(rng, height, width, max(size * 0.2, 0.5))
    return to_uniform(bumps * np.float32(0.8) + wide * np.float32(0.5) + fine * np.float32(0.28))


def woven_canvas(rng: Generator, height: int, width: int, thread: float) -> Pixels:
    """Return woven linen: threads `thread` pixels wide over and under each other, uneven, 0 to 1."""
    x, y = pixel_grid(height, width)
    x += np.float32(thread * 0.35) * fractal_noise(rng, height, width, thread * 30, 2)
    y += np.float32(thread * 0.35) * fractal_noise(rng, height, width, thread * 30, 2)
    turn = np.float32(np.pi / thread)
    warp, weft = np.abs(np.sin(x * turn)), np.abs(np.sin(y * turn))
    over = np.sin(x * turn + np.float32(0.5)) * np.sin(y * turn + np.float32(0.5)) > 0
    woven = np.where(over, warp, weft) + np.float32(0.12) * white_noise(rng, height, width, 0.8)
    return np.clip(blur(woven, max(thread * 0.12, 0.4)), 0, 1)


def shade_relief(height_map: Pixels, depth: float, angle: float = 225.0) -> Pixels:
    """Return raking light on heights: about 1 where flat, more on slopes that face it, less behind.

    `angle` is the direction of the light, in degrees clockwise from the right (225: upper left).
    """
    gx = cv2.Sobel(height_map, cv2.CV_32F, 1, 0, ksize=3) * np.float32(depth)
    gy = cv2.Sobel(height_map, cv2.CV_32F, 0, 1, ksize=3) * np.float32(depth)
    lx, ly = np.float32(np.cos(np.radians(angle))), np.float32(np.sin(np.radians(angle)))
    return 1 + (-(gx * lx) - gy * ly) / np.sqrt(1 + gx * gx + gy * gy)


def specular(height_map: Pixels, depth: float, sharp: float = 18.0, angle: float = 225.0) -> Pixels:
    """Return the specular reflection of wet or varnished heights, 0 to 1."""
    gx = cv2.Sobel(height_map, cv2.CV_32F, 1, 0, ksize=3) * np.float32(depth)
    gy = cv2.Sobel(height_map, cv2.CV_32F, 0, 1, ksize=3) * np.float32(depth)
    norm = np.sqrt(1 + gx * gx + gy * gy)
    # the half-way vector between a light 45 degrees up and an eye straight above
    hx, hy = 0.38 * np.cos(np.radians(angle)), 0.38 * np.sin(np.radians(angle))
    facing = (-gx * np.float32(hx) - gy * np.float32(hy) + np.float32(0.92)) / norm
    return np.clip(facing, 0, 1) ** np.float32(sharp * 4)


def deckle_mask(rng: Generator, height: int, width: int, margin: float, rough: float) -> Pixels:
    """Return 1 inside an irregular frame `margin` pixels from the border, 0 outside, with soft torn edges."""
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    inside = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    wavy = fractal_noise(rng, height, width, margin * 5, 6, 0.5) * np.float32(rough)
    edge = (inside - np.float32(margin) + wavy) / np.float32(max(margin * 0.06, 1.0))
    return np.clip(edge + np.float32(0.5), 0, 1)
