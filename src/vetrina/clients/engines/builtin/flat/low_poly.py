"""Low-poly: a Delaunay mesh, denser where there is detail."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Pixels, floats
from vetrina.clients.engines.builtin.parameter_values import ParameterValues
from vetrina.clients.engines.builtin.progress import StageProgress
from vetrina.clients.engines.builtin.raster import colour, point_sampling
from vetrina.clients.engines.builtin.raster.image_io import blur, reference_scale, resize, size_of, to_bytes
from vetrina.clients.engines.builtin.raster.smoothing import bilateral_filter, guided_filter
from vetrina.clients.engines.builtin.raster.strokes import values_at

Points = npt.NDArray[Any]


def low_poly(photo: Pixels, parameters: ParameterValues, rng: Generator, progress: StageProgress) -> Pixels:
    """Render Delaunay triangles, smaller where there is detail, as flat facets with slight shading."""
    height, width = size_of(photo)
    u = reference_scale(photo)
    progress(0.0, "Finding the shapes")
    art = colour.saturate(colour.contrast(bilateral_filter(photo, 3 * u, 0.08, 2), 0.3), 1.25)
    plane = guided_filter(colour.lightness(photo), colour.lightness(photo), 3 * u, 0.001)
    gx, gy = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
    strength = np.hypot(gx, gy)
    strength = np.minimum(strength / np.float32(max(float(np.percentile(strength, 97)), 1e-3)), 1)
    weight = blur(strength, 2.5 * u) * np.float32(parameters.number("detail")) + np.float32(0.02)
    count = min(parameters.integer("triangles") // 2, height * width // 60)
    progress(0.2, "Placing corners")
    placed = point_sampling.sample(rng, weight, max(count, 8))
    half = (max(height // 2, 8), max(width // 2, 8))
    small = resize(weight, *half)
    scale = floats([half[1] / width, half[0] / height])
    for round_number in range(3):
        progress(0.3 + 0.12 * round_number, "Spreading corners along the edges")
        placed = point_sampling.lloyd_relax(placed * scale, small, 2) / scale
    progress(0.68, "Stretching triangles")
    corners = _triangles(_with_border(point_sampling.clamp_to_frame(placed, height, width), height, width), height, width)
    progress(0.8, "Colouring the facets")
    double = 2 if height * width < 5e6 else 1
    sheet = np.zeros((height * double, width * double, 3), np.uint8)
    shades = _facet_colours(art, corners)
    leaning_light = rng.normal(0, 0.022, len(corners)).astype(np.float32) * np.float32(1 + parameters.number("facets"))
    shades = np.clip(
        shades * (1 + leaning_light + _facet_orientation(corners) * np.float32(0.05 * parameters.number("facets")))[:, None],
        0,
        1,
    )
    inks = to_bytes(shades).astype(float).tolist()
    fixed = np.round((corners + 0.5) * double * 16).astype(np.int32)
    for triangle, ink in zip(fixed, inks, strict=True):
        cv2.fillConvexPoly(sheet, triangle, ink, cv2.LINE_8, 4)
    progress(0.95, "Smoothing the joins")
    return resize(sheet.astype(np.float32) / np.float32(255), height, width)


def _with_border(placed: Points, height: int, width: int) -> Points:
    """Add corners and evenly spaced points on the border, so that the triangles cover everything."""
    gap = max((height * width / max(len(placed), 1)) ** 0.5 * 1.4, 4)
    xs = np.linspace(0, width - 1, max(int(width / gap), 2))
    ys = np.linspace(0, height - 1, max(int(height / gap), 2))
    border = [(x, e) for x in xs for e in (0, height - 1)] + [(e, y) for y in ys for e in (0, width - 1)]
    return np.concatenate([placed, np.array(border, np.float32)])


def _triangles(placed: Points, height: int, width: int) -> Points:
    """Return Delaunay's triangles, (n, 3, 2), reaching half a pixel beyond the border."""
    mesh = cv2.Subdiv2D((-8, -8, width + 16, height + 16))
    mesh.insert([(float(x), float(y)) for x, y in placed])
    triangles = np.array(mesh.getTriangleList(), np.float32).reshape(-1, 3, 2)
    limit = np.array([width - 1, height - 1], np.float32)
    inside = ((triangles >= -0.5) & (triangles <= limit + 0.5)).all(axis=(1, 2))
    triangles = triangles[inside]
    low, high = triangles <= 0.01, triangles >= limit - 0.01
    return triangles - low * np.float32(1) + high * np.float32(1)


def _facet_colours(art: Pixels, corners: Points) -> Pixels:
    """Return the mean of seven samples inside each triangle, from a slightly blurred picture."""
    soft = blur(art, 1.2)
    weights = floats([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 0.6], [2, 0.6, 2], [0.6, 2, 2]])
    weights /= weights.sum(axis=1, keepdims=True)
    samples = np.einsum("wk,nkc->nwc", weights, corners)
    return values_at(soft, samples).mean(axis=1)


def _facet_orientation(corners: Points) -> Pixels:
    """Return -1 to 1: how far a facet seems to face the upper left, by its longest edge."""
    edges = corners - np.roll(corners, 1, axis=1)
    longest = np.linalg.norm(edges, axis=2).argmax(axis=1)
    edge = edges[np.arange(len(corners)), longest]
    length = np.maximum(np.linalg.norm(edge, axis=1), 1e-3)
    return ((edge[:, 0] - edge[:, 1]) / length / np.float32(1.42)).astype(np.float32)
