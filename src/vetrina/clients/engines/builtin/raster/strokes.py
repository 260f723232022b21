"""Strokes: starting points, tracing along a flow field, drawing.

A bundle of strokes is an array of paths (stroke, point, x and y) with a count of the points in use.
All are traced together; only drawing is stroke by stroke.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow

SHIFT = 3
"""Fractional bits of the coordinates handed to OpenCV."""

Points = npt.NDArray[Any]


class Strokes(NamedTuple):
    """`paths` is (n, points, 2), `used` the number of points of each that count (at least 2)."""

    paths: Points
    used: npt.NDArray[Any]


def scatter(rng: Generator, height: int, width: int, spacing: float, jitter: float = 0.5) -> Points:
    """Return points on a grid of `spacing` pixels, each moved by up to `jitter` of it, in random order."""
    rows, columns = max(1, round(height / spacing)), max(1, round(width / spacing))
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) + np.float32(0.5)
    x = x + np.float32(0.5) * (np.arange(rows) % 2)[:, None] - np.float32(0.25)
    points = np.stack([x.ravel() * (width / columns), y.ravel() * (height / rows)], axis=1)
    points += (rng.random(points.shape, np.float32) * 2 - 1) * np.float32(jitter * spacing)
    points[:, 0] = np.clip(points[:, 0], 0, width - 1)
    points[:, 1] = np.clip(points[:, 1], 0, height - 1)
    return points[rng.permutation(len(points))].astype(np.float32)


def values_at(plane: Pixels, points: Points) -> Pixels:
    """Return the plane's value at each point (nearest pixel)."""
    height, width = plane.shape[:2]
    x = np.clip(points[..., 0] + 0.5, 0, width - 1).astype(np.int32)
    y = np.clip(points[..., 1] + 0.5, 0, height - 1).astype(np.int32)
    return plane[y, x]


def trace(field: Flow, starts: Points, length: float, points: int, inertia: float = 0.5) -> Strokes:
    """Return paths of `length` pixels through the starts, half each way, following the field.

    `inertia` (0 to 1) is how much of its direction a stroke keeps from one point to the next.
    """
    half = max(points // 2, 1)
    stride = np.float32(length / (2 * half))
    first = np.stack([values_at(field.x, starts), values_at(field.y, starts)], axis=1)
    arms: list[list[Points]] = []
    for sign in (1.0, -1.0):
        heading = first * np.float32(sign)
        place = starts
        arm: list[Points] = []
        for _ in range(half):
            place = place + heading * stride
            arm.append(place)
            local = np.stack([values_at(field.x, place), values_at(field.y, place)], axis=1)
            agree = np.where((local * heading).sum(axis=1, keepdims=True) < 0, np.float32(-1), np.float32(1))
            heading = heading * np.float32(inertia) + local * agree * np.float32(1 - inertia)
            heading /= np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), np.float32(1e-6))
        arms.append(arm)
    paths = np.stack([*reversed(arms[1]), starts, *arms[0]], axis=1)
    return Strokes(paths, np.full(len(starts), paths.shape[1]))


def trim_to_colour(strokes: Strokes, reference: Pixels, tolerance: float) -> Strokes:
    """Shorten each stroke to the part about its middle where the reference has the middle's colour.

    Paths are packed to begin at that part; strokes of fewer than two points are extended to two.
    """
    paths = strokes.paths
    count, points = paths.shape[:2]
    middle = points // 2
    colours = values_at(reference, paths)
    gap: Points = np.abs(colours - colours[:, middle : middle + 1]).reshape(count, points, -1).max(axis=2)
    same: Points = (gap <= tolerance).astype(np.int64)
    same[:, middle] = 1
    before = cast(Points, np.cumprod(same[:, middle::-1], axis=1)).sum(axis=1) - 1
    after = cast(Points, np.cumprod(same[:, middle:], axis=1)).sum(axis=1) - 1
    short: Points = (before + after) < 1
    after[short & (middle + 1 < points)] = 1
    used: Points = before + after + 1
    begin: Points = (middle - before)[:, None]
    last: Points = begin + used[:, None] - 1
    index = np.minimum(cast(Points, np.arange(points)[None, :] + begin), last)
    return Strokes(np.take_along_axis(paths, index[:, :, None], axis=1), used)


def select(strokes: Strokes, which: npt.NDArray[Any]) -> Strokes:
    """Select strokes, by mask or by index."""
    return Strokes(strokes.paths[which], strokes.used[which])


def draw(
    canvas: Bytes,
    strokes: Strokes,
    colours: npt.NDArray[Any],
    widths: npt.NDArray[Any],
    smooth: bool = True,
) -> None:
    """Draw the strokes in their order: `colours` (n, channels) 0 to 255, `widths` in pixels."""
    points = np.round(strokes.paths * (1 << SHIFT)).astype(np.int32)
    kind = cv2.LINE_AA if smooth else cv2.LINE_8
    thick = np.maximum(np.round(widths), 1).astype(int).tolist()
    inks = np.atleast_2d(np.asarray(colours, np.float64).reshape(len(points), -1)).tolist()
    for path, used, ink, width in zip(points, strokes.used.tolist(), inks, thick, strict=True):
        cv2.polylines(canvas, [path[:used]], False, ink, width, kind, SHIFT)


def normals(paths: Points) -> Points:
    """Return unit vectors across the paths at each of their points."""
    ahead = np.gradient(paths, axis=1)
    across = np.stack([-ahead[..., 1], ahead[..., 0]], axis=2)
    return across / np.maximum(np.linalg.norm(across, axis=2, keepdims=True), np.float32(1e-6))
