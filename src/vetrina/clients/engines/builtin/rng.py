"""Seeded random numbers: every irregularity of a picture comes from one generator, so that a seed repeats it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels


def seeded_generator(seed: int) -> Generator:
    """Return a generator for one picture."""
    return np.random.Generator(np.random.PCG64(seed & 0xFFFF_FFFF_FFFF_FFFF))


def white_noise(rng: Generator, height: int, width: int, sigma: float = 0.0) -> Pixels:
    """Return white noise, blurred by `sigma` pixels, with mean 0 and standard deviation 1."""
    noise = rng.standard_normal((height, width), dtype=np.float32)
    return _standardize(cv2.GaussianBlur(noise, (0, 0), sigma)) if sigma > 0.3 else noise


def fractal_noise(rng: Generator, height: int, width: int, scale: float, octaves: int = 4, gain: float = 0.5) -> Pixels:
    """Return fractal noise whose largest shapes are `scale` pixels wide; mean 0, standard deviation 1."""
    total = np.zeros((height, width), np.float32)
    strength = 1.0
    for _ in range(octaves):
        rows, columns = max(2, round(height / scale) + 1), max(2, round(width / scale) + 1)
        coarse = rng.standard_normal((rows, columns), dtype=np.float32)
        total += np.float32(strength) * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        scale, strength = max(scale / 2, 1.0), strength * gain
        if scale <= 1.0:
            break
    return _standardize(total)


def warp_by_noise(picture: Pixels, rng: Generator, reach: float, scale: float) -> Pixels:
    """Warp the picture by noise: at most about two `reach` pixels, in shapes `scale` wide."""
    height, width = picture.shape[:2]
    x, y = pixel_grid(height, width)
    x += np.float32(reach) * fractal_noise(rng, height, width, scale, 3)
    y += np.float32(reach) * fractal_noise(rng, height, width, scale, 3)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def pixel_grid(height: int, width: int) -> tuple[Pixels, Pixels]:
    """Return the x and the y of every pixel."""
    x = np.repeat(np.arange(width, dtype=np.float32)[None, :], height, axis=0)
    y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    return x, y


def to_uniform(noise: Pixels) -> Pixels:
    """Convert normally distributed noise to heights that are about uniform over 0 to 1."""
    return 1 / (1 + np.exp(noise * np.float32(-1.702)))


def _standardize(noise: Pixels) -> Pixels:
    spread = float(noise.std())
    return (noise - np.float32(noise.mean())) / np.float32(spread if spread > 1e-6 else 1.0)
