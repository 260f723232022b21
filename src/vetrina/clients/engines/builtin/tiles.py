"""Small pieces: Roman mosaic, low-poly triangles, stained glass."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vetrina.clients.engines.builtin import colour, points, surface
from vetrina.clients.engines.builtin.chance import Chance, clouds, grain
from vetrina.clients.engines.builtin.flow import Flow, flow, leaning
from vetrina.clients.engines.builtin.pixels import Pixels, blur, mix, resized, size_of, smoothstep, to_bytes, unit
from vetrina.clients.engines.builtin.smoothing import flattened, guided, kuwahara
from vetrina.clients.engines.builtin.steps import Knobs, Steps
from vetrina.clients.engines.builtin.strokes import seen

Points = npt.NDArray[np.float32]


def mosaic(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """Square tesserae set in rows along the contours, each tilted its own way in grey grout."""
    height, width = size_of(photo)
    u = unit(photo)
    side = max(knobs.number("tile") * u, 4.0)
    step(0.0, "Drawing the cartoon")
    art = colour.vivid(colour.contrast(flattened(photo, 3 * u, 0.07, 2), 0.35), 1.35)
    field = leaning(flow(photo, 0.9 * side), 0, 0.02)
    edges = _edges(art, 0.35 * side)
    step(0.22, "Setting out the rows")
    placed = points.sample(rng, np.ones((height, width), np.float32), max(int(height * width / side**2), 4))
    pull = 1 - np.float32(0.85) * edges  # pieces keep off the contour, so rows form on both sides
    for turn in range(3):
        step(0.28 + 0.1 * turn, "Letting the pieces settle")
        placed = _settle(placed, pull, field, side, 3)
    step(0.6, "Cutting the tesserae")
    cells, gap, along_x, along_y = _squares(placed, field, height, width)
    joint = knobs.number("grout") * 0.22 * side
    inside = np.minimum(np.float32(side * 0.60) - gap, _from_border(cells) - np.float32(joint / 2))
    step(0.74, "Choosing the smalti")
    shades = points.means(cells, art, len(placed))
    shades = shades * (1 + rng.normal(0, 0.055, (len(placed), 1)).astype(np.float32))
    shades += rng.normal(0, 0.018, shades.shape).astype(np.float32)
    step(0.84, "Setting them in the grout")
    tile = np.clip(shades, 0.02, 1)[cells]
    tilt = rng.normal(0, 0.09, (len(placed), 2)).astype(np.float32)
    slope = (tilt[cells, 0] * along_x + tilt[cells, 1] * along_y) / np.float32(side * 0.5)
    rough = grain(rng, height, width, max(1.0 * u, 0.6)) * np.float32(0.012)
    bevel = smoothstep(0, float(0.22 * side), inside)
    lit = tile * (0.86 + 0.22 * bevel + slope + rough)[:, :, None]
    edge_light = surface.relief(blur(bevel, 0.8), 1.1)
    lit *= (1 + (edge_light - 1) * np.float32(0.2))[:, :, None]
    grout = np.float32([0.60, 0.575, 0.53]) * np.float32(0.55)
    bed = grout * (1 + 0.09 * grain(rng, height, width, max(1.2 * u, 0.7)))[:, :, None]
    cover = np.clip(inside / np.float32(max(0.9 * u, 0.6)) + np.float32(0.5), 0, 1)
    shade = blur(np.roll(cover, (max(round(1.6 * u), 1), max(round(1.6 * u), 1)), (0, 1)), 1.2 * u)
    step(0.95, "Polishing")
    return np.clip(mix(bed * (1 - np.float32(0.35) * shade)[:, :, None], lit, cover), 0, 1)


def _from_border(cells: npt.NDArray[np.int32]) -> Pixels:
    """How far each pixel is from the next cell, in pixels."""
    border = np.zeros(cells.shape, np.uint8)
    border[:, 1:] |= cells[:, 1:] != cells[:, :-1]
    border[1:] |= cells[1:] != cells[:-1]
    return cv2.distanceTransform(1 - border, cv2.DIST_L2, 5)


def _edges(art: Pixels, reach: float) -> Pixels:
    """1 on a contour, falling to 0 about `reach` pixels away."""
    plane = colour.lab(blur(art, 1.6))
    strength = np.zeros(plane.shape[:2], np.float32)
    for channel, weight in ((0, 1.0), (1, 0.8), (2, 0.8)):
        gx = cv2.Scharr(plane[:, :, channel], cv2.CV_32F, 1, 0)
        gy = cv2.Scharr(plane[:, :, channel], cv2.CV_32F, 0, 1)
        strength += np.hypot(gx, gy) * np.float32(weight)
    near = blur(strength, reach * 0.7)
    return smoothstep(0.9, 2.4, near / np.float32(max(float(np.percentile(near, 78)), 1e-3)))


def _settle(placed: Points, weight: Pixels, field: Flow, side: float, rounds: int) -> Points:
    """Lloyd's rounds in the squares' own metric, on a small copy: neighbours line up side by side."""
    height, width = weight.shape
    scale = min(1.0, 6.0 / side)
    small = (max(round(height * scale), 8), max(round(width * scale), 8))
    sx, sy = small[1] / width, small[0] / height
    less = Flow(*(resized(plane, *small) for plane in field))
    mass_plane = resized(weight, *small).ravel()
    x = np.tile(np.arange(small[1], dtype=np.float32), small[0])
    y = np.repeat(np.arange(small[0], dtype=np.float32), small[1])
    spots = placed * np.float32([sx, sy])
    for _ in range(rounds):
        cells = _squares(spots, less, *small)[0].ravel()
        mass = np.bincount(cells, mass_plane, len(spots))
        good = mass > 1e-6
        spots = spots.copy()
        spots[good, 0] = (np.bincount(cells, mass_plane * x, len(spots))[good] / mass[good]).astype(np.float32)
        spots[good, 1] = (np.bincount(cells, mass_plane * y, len(spots))[good] / mass[good]).astype(np.float32)
    return points.inside(spots / np.float32([sx, sy]), height, width)


def _squares(
    placed: Points, field: Flow, height: int, width: int
) -> tuple[npt.NDArray[np.int32], Pixels, Pixels, Pixels]:
    """Each pixel's piece by the turned square metric, its distance in it, and its place along the axes.

    Starts from the ordinary Voronoi cells and lets every pixel compare the pieces of its neighbourhood
    (a few rounds of the jump flood, from far to near).
    """
    owner = points.voronoi(placed, height, width)
    ux, uy = seen(field.x, placed), seen(field.y, placed)
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]

    def place(index: npt.NDArray[np.int32]) -> tuple[Pixels, Pixels]:
        dx, dy = x - placed[index, 0], y - placed[index, 1]
        cx, cy = ux[index], uy[index]
        return dx * cx + dy * cy, dy * cx - dx * cy

    a, b = place(owner)
    best = np.maximum(np.abs(a), np.abs(b))
    spacing = max(2, round((height * width / max(len(placed), 1)) ** 0.5 * 0.5))
    for jump in (spacing, max(spacing // 2, 1), 1):
        for dy, dx in ((0, jump), (0, -jump), (jump, 0), (-jump, 0)):
            other = _neighbour(owner, dy, dx)
            pa, pb = place(other)
            near = np.maximum(np.abs(pa), np.abs(pb))
            closer = near < best
            owner = np.where(closer, other, owner)
            best = np.where(closer, near, best)
    a, b = place(owner)
    return owner, best, a, b


def _neighbour(plane: npt.NDArray[np.int32], dy: int, dx: int) -> npt.NDArray[np.int32]:
    height, width = plane.shape
    rows = np.clip(np.arange(height) + dy, 0, height - 1)
    columns = np.clip(np.arange(width) + dx, 0, width - 1)
    return plane[rows[:, None], columns[None, :]]


def low_poly(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """Delaunay triangles, small where there is detail, each a flat facet with a breath of shading."""
    height, width = size_of(photo)
    u = unit(photo)
    step(0.0, "Finding the shapes")
    art = colour.vivid(colour.contrast(flattened(photo, 3 * u, 0.08, 2), 0.3), 1.25)
    plane = guided(colour.light(photo), colour.light(photo), 3 * u, 0.001)
    gx, gy = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
    strength = np.hypot(gx, gy)
    strength = np.minimum(strength / np.float32(max(float(np.percentile(strength, 97)), 1e-3)), 1)
    weight = blur(strength, 2.5 * u) * np.float32(knobs.number("detail")) + np.float32(0.02)
    count = min(knobs.whole("triangles") // 2, height * width // 60)
    step(0.2, "Placing corners")
    placed = points.sample(rng, weight, max(count, 8))
    half = (max(height // 2, 8), max(width // 2, 8))
    small = resized(weight, *half)
    scale = np.float32([half[1] / width, half[0] / height])
    for turn in range(3):
        step(0.3 + 0.12 * turn, "Spreading corners along the edges")
        placed = points.relax(placed * scale, small, 2) / scale
    step(0.68, "Stretching triangles")
    corners = _triangles(_with_border(points.inside(placed, height, width), height, width), height, width)
    step(0.8, "Colouring the facets")
    double = 2 if height * width < 5e6 else 1
    sheet = np.zeros((height * double, width * double, 3), np.uint8)
    shades = _facet_colours(art, corners)
    leaning_light = rng.normal(0, 0.022, len(corners)).astype(np.float32) * np.float32(1 + knobs.number("facets"))
    shades = np.clip(shades * (1 + leaning_light + _facing(corners) * np.float32(0.05 * knobs.number("facets")))[:, None], 0, 1)
    inks = to_bytes(shades).astype(float).tolist()
    fixed = np.round((corners + 0.5) * double * 16).astype(np.int32)
    for triangle, ink in zip(fixed, inks, strict=True):
        cv2.fillConvexPoly(sheet, triangle, ink, cv2.LINE_8, 4)
    step(0.95, "Smoothing the joins")
    return resized(sheet.astype(np.float32) / np.float32(255), height, width)


def _with_border(placed: Points, height: int, width: int) -> Points:
    """Corners and evenly spaced points on the border, so that the triangles cover everything."""
    gap = max((height * width / max(len(placed), 1)) ** 0.5 * 1.4, 4)
    xs = np.linspace(0, width - 1, max(int(width / gap), 2))
    ys = np.linspace(0, height - 1, max(int(height / gap), 2))
    border = [(x, e) for x in xs for e in (0, height - 1)] + [(e, y) for y in ys for e in (0, width - 1)]
    return np.concatenate([placed, np.array(border, np.float32)])


def _triangles(placed: Points, height: int, width: int) -> Points:
    """Delaunay's triangles, (n, 3, 2), reaching half a pixel past the border."""
    mesh = cv2.Subdiv2D((-8, -8, width + 16, height + 16))
    mesh.insert([(float(x), float(y)) for x, y in placed])
    found = np.array(mesh.getTriangleList(), np.float32).reshape(-1, 3, 2)
    limit = np.array([width - 1, height - 1], np.float32)
    inside = ((found >= -0.5) & (found <= limit + 0.5)).all(axis=(1, 2))
    found = found[inside]
    low, high = found <= 0.01, found >= limit - 0.01
    return found - low * np.float32(1) + high * np.float32(1)


def _facet_colours(art: Pixels, corners: Points) -> Pixels:
    """The mean of seven samples inside each triangle, from a slightly blurred picture."""
    soft = blur(art, 1.2)
    weights = np.float32(
        [[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 0.6], [2, 0.6, 2], [0.6, 2, 2]]
    )
    weights /= weights.sum(axis=1, keepdims=True)
    samples = np.einsum("wk,nkc->nwc", weights, corners)
    return seen(soft, samples).mean(axis=1)


def _facing(corners: Points) -> Pixels:
    """-1 to 1: how far a facet seems turned to the upper left, from its longest edge."""
    edges = corners - np.roll(corners, 1, axis=1)
    longest = np.linalg.norm(edges, axis=2).argmax(axis=1)
    edge = edges[np.arange(len(corners)), longest]
    length = np.maximum(np.linalg.norm(edge, axis=1), 1e-3)
    return ((edge[:, 0] - edge[:, 1]) / length / np.float32(1.42)).astype(np.float32)


def stained_glass(photo: Pixels, knobs: Knobs, rng: Chance, step: Steps) -> Pixels:
    """Panes of coloured glass cut along the picture's shapes, leaded, lit from behind."""
    height, width = size_of(photo)
    u = unit(photo)
    pane = max(knobs.number("pane") * u, 8.0)
    step(0.0, "Drawing the cartoon")
    art = kuwahara(flattened(photo, 7 * u, 0.13, 4), 0.22 * pane)
    tone = colour.lab(art)
    tone[:, :, 0] = 16 + 78 * colour.levels(tone[:, :, 0] / 100, 1, 98)
    tone[:, :, 1:] *= np.float32(1.1 + 0.5 * knobs.number("glow"))
    step(0.24, "Cutting the glass")
    placed = points.sample(rng, 0.6 + _edges(art, pane * 0.3), max(int(height * width / pane**2), 6))
    shape_weight = np.float32(1.3)
    half = (max(height // 2, 8), max(width // 2, 8))
    small = np.dstack([resized(np.ascontiguousarray(tone[:, :, c]), *half) for c in range(3)])
    cells = points.voronoi(placed / 2, *half)
    for turn in range(4):
        step(0.3 + 0.1 * turn, "Fitting the panes to the shapes")
        cells = _regrown(small, cells, len(placed), pane / 2, float(shape_weight))
    full = cv2.resize(cells.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST).astype(np.int32)
    full = _rounded(full, 2.2 * u)
    step(0.74, "Leading the panes")
    batch = points.means(full, tone, len(placed))  # no two panes are from the same batch of glass
    batch[:, 0] *= 1 + rng.normal(0, 0.06, len(batch)).astype(np.float32)
    batch[:, 1:] += rng.normal(0, 5.5, (len(batch), 2)).astype(np.float32)
    glass = np.clip(colour.from_lab(batch[None])[0], 0.015, 1)[full]
    distance = _from_border(full)
    lead_width = np.float32(knobs.number("lead") * u)
    step(0.86, "Letting the light through")
    ripples = clouds(rng, height, width, 38 * u, 4) * np.float32(0.06) + clouds(rng, height, width, 9 * u, 2) * np.float32(0.025)
    glow = smoothstep(float(lead_width), float(lead_width + pane * 0.55), distance)
    lit = glass * (0.74 + 0.34 * glow + ripples)[:, :, None]
    halo = blur(lit, 14 * u)
    lit = 1 - (1 - np.clip(lit, 0, 1)) * (1 - np.clip(halo, 0, 1) * np.float32(0.22))
    lead = np.clip((lead_width - distance) / np.float32(max(0.9 * u, 0.6)) + np.float32(0.5), 0, 1)
    came = surface.relief(blur(np.clip(lead_width - distance, 0, None), 0.9 * u), 0.8)
    metal = np.float32([0.10, 0.10, 0.115]) * (1 + (came - 1) * np.float32(1.4))[:, :, None]
    step(0.96, "Fixing the window")
    return np.clip(mix(lit, np.clip(metal, 0.02, 0.5), lead), 0, 1)


def _regrown(small: Pixels, cells: npt.NDArray[np.int32], count: int, pane: float, weight: float) -> npt.NDArray[np.int32]:
    """One round of superpixels (SLIC's measure): pixels go to the nearest of the panes around them."""
    height, width = cells.shape
    flat = cells.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    x = np.tile(np.arange(width, dtype=np.float32), height)
    y = np.repeat(np.arange(height, dtype=np.float32), width)
    cx = (np.bincount(flat, x, count) / size).astype(np.float32)
    cy = (np.bincount(flat, y, count) / size).astype(np.float32)
    shade = points.means(cells, small, count)
    x2, y2 = x.reshape(height, width), y.reshape(height, width)

    def cost(index: npt.NDArray[np.int32]) -> Pixels:
        dx, dy = x2 - cx[index], y2 - cy[index]
        gap = ((small - shade[index]) ** 2).sum(axis=2)
        return gap * np.float32(weight / 100) + (dx * dx + dy * dy) * np.float32(100 / pane**2)

    best = cost(cells)
    for jump in (max(round(pane * 0.6), 1), max(round(pane * 0.25), 1), 1):
        for dy, dx in ((0, jump), (0, -jump), (jump, 0), (-jump, 0)):
            other = _neighbour(cells, dy, dx)
            price = cost(other)
            better = price < best
            cells = np.where(better, other, cells)
            best = np.where(better, price, best)
    return cells


def _rounded(cells: npt.NDArray[np.int32], reach: float) -> npt.NDArray[np.int32]:
    """Ragged borders smoothed: each pixel looks where the blurred field of its labels points (median)."""
    side = 2 * max(1, round(reach)) + 1
    low, high = (cells & 0xFF).astype(np.uint8), (cells >> 8).astype(np.uint8)
    votes = cv2.medianBlur(low, side).astype(np.int32), cv2.medianBlur(high, side).astype(np.int32)
    merged = votes[0] | (votes[1] << 8)
    known = np.zeros(int(cells.max()) + 1, bool)
    known[np.unique(cells)] = True
    valid = (merged < len(known)) & known[np.minimum(merged, len(known) - 1)]
    return np.where(valid, merged, cells)
