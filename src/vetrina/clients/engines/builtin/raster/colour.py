"""Colour and tone: Lab, lightness, contrast, palettes. All pictures are sRGB, 0 to 1."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels

Triple = tuple[float, float, float]


def from_hex(code: str) -> Pixels:
    """Return `#rrggbb` as three numbers, 0 to 1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def lab(picture: Pixels) -> Pixels:
    """Return CIE L*a*b*: lightness 0 to 100, a and b about -100 to 100."""
    return cv2.cvtColor(np.clip(picture, 0, 1), cv2.COLOR_RGB2Lab)


def from_lab(picture: Pixels) -> Pixels:
    """Return the RGB picture of CIELAB values, clipped to 0..1."""
    return np.clip(cv2.cvtColor(picture, cv2.COLOR_Lab2RGB), 0, 1)


def lightness(picture: Pixels) -> Pixels:
    """Return perceived lightness, 0 to 1."""
    return lab(picture)[:, :, 0] / np.float32(100)


def luma(picture: Pixels) -> Pixels:
    """Return luma, 0 to 1: faster than `lightness`, good enough for edges."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def levels(plane: Pixels, low: float = 1.0, high: float = 99.0, max_stretch: float = 2.2) -> Pixels:
    """Stretch the plane so that its percentiles `low` and `high` become 0 and 1, by at most `max_stretch`."""
    sample = plane[:: max(1, plane.shape[0] // 256), :: max(1, plane.shape[1] // 256)]
    bottom, top = (float(value) for value in np.percentile(sample, [low, high]))
    stretch = min(1 / max(top - bottom, 1e-3), max_stretch)
    middle = (top + bottom) / 2
    return np.clip((plane - np.float32(middle)) * np.float32(stretch) + _anchor(middle, stretch), 0, 1)


def _anchor(middle: float, stretch: float) -> np.float32:
    """Return the new value of the middle: a half when there is room to stretch, otherwise its own."""
    reach = 0.5 / stretch
    return np.float32(np.clip(0.5, middle - reach, middle + reach) if stretch > 1 else middle)


def local_contrast(plane: Pixels, clip: float = 2.0, tiles: int = 6) -> Pixels:
    """Apply contrast-limited adaptive equalisation to a plane, 0 to 1."""
    deep = np.clip(plane * 65535, 0, 65535).astype(np.uint16)
    return cv2.createCLAHE(clip, (tiles, tiles)).apply(deep).astype(np.float32) / np.float32(65535)


def saturate(picture: Pixels, amount: float) -> Pixels:
    """Change the saturation (above 1: more); dull colours change more than vivid ones."""
    middle = luma(picture)[:, :, None]
    spread = picture - middle
    if amount <= 1:
        return np.clip(middle + spread * np.float32(amount), 0, 1)
    strength = np.abs(spread).max(axis=2, keepdims=True)
    gain = 1 + np.float32(amount - 1) * (1 - np.clip(strength * 1.6, 0, 0.85))
    return np.clip(middle + spread * gain, 0, 1)


def contrast(picture: Pixels, amount: float) -> Pixels:
    """Apply an S-curve about the middle: 0 changes nothing, 1 is strong."""
    curve = picture * picture * (3 - 2 * picture)
    return picture + (curve - picture) * np.float32(amount)


def palette(picture: Pixels, count: int, rng: Generator) -> Pixels:
    """Return the picture's `count` main colours (rows of Lab), dark to light, by k-means on a sample.

    Vivid pixels have more weight, so that a small vivid area keeps its colour.
    """
    small = lab(cv2.resize(picture, (96, 96), interpolation=cv2.INTER_AREA)).reshape(-1, 3)
    chroma = np.hypot(small[:, 1], small[:, 2])
    weight = 1 + chroma / 20
    chosen = rng.choice(len(small), size=3000, p=weight / weight.sum())
    points = small[chosen]
    centres = _spread_seeds(points, count, rng)
    for _ in range(18):
        nearest = ((points[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        for index in range(count):
            cluster = points[nearest == index]
            if len(cluster):
                centres[index] = cluster.mean(axis=0)
    return centres[np.argsort(centres[:, 0])].astype(np.float32)


def _spread_seeds(points: Pixels, count: int, rng: Generator) -> Pixels:
    centres = [points[int(rng.integers(len(points)))]]
    for _ in range(count - 1):
        gap = np.min([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=0) + 1e-4
        centres.append(points[int(rng.choice(len(points), p=gap / gap.sum()))])
    return np.array(centres, np.float32)


def nearest(picture_lab: Pixels, colours: Pixels) -> npt.NDArray[Any]:
    """Return for each pixel the index of the closest of `colours` (rows of Lab)."""
    best = np.full(picture_lab.shape[:2], np.inf, np.float32)
    index = np.zeros(picture_lab.shape[:2], np.int32)
    for number, colour in enumerate(colours):
        gap = ((picture_lab - colour) ** 2).sum(axis=2)
        closer = gap < best
        best[closer] = gap[closer]
        index[closer] = number
    return index


def ramp(tone: Pixels, stops: list[tuple[float, str]]) -> Pixels:
    """Colour a plane along a gradient of (position, colour) stops."""
    places = [place for place, _ in stops]
    colours = np.array([from_hex(code) for _, code in stops])
    table = np.stack([np.interp(np.linspace(0, 1, 1024), places, colours[:, c]) for c in range(3)], axis=1)
    return table.astype(np.float32)[np.clip(tone * 1023, 0, 1023).astype(np.int32)]
