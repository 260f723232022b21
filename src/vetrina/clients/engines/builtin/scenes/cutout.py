"""Cutting a product out of its photograph: by its alpha, by what a network sees, or by GrabCut on a plain backdrop.

Where no subject is distinct, the photograph becomes a card: a print with a white border.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels, floats
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster.image_io import blur, resize, size_of, smoothstep, to_bytes
from vetrina.clients.engines.builtin.raster.smoothing import guided_filter
from vetrina.clients.engines.builtin.scenes import subject_matte

WORK_SIDE = 420
MIN_SHARE, MAX_SHARE = 0.004, 0.93


class Cutout(NamedTuple):
    """A product without its surroundings, trimmed to its box. `method` is alpha, network, grabcut or card."""

    colour: Pixels
    alpha: Pixels
    method: str


def cut_out(photo: Pixels, alpha: Pixels | None, rng: Generator, weights: bytes | None) -> Cutout:
    """Return the product alone; a photograph without a distinct subject becomes a card, whole.

    `weights` are those of the network that finds subjects; without them GrabCut has to do.
    """
    if alpha is not None and float((alpha > 0.5).mean()) > 0.002:
        return _trim(photo, alpha, "alpha")
    matte, method = _matte(photo, rng, weights)
    return _card(photo) if matte is None else _trim(_clean_edges(photo, matte), matte, method)


def _matte(photo: Pixels, rng: Generator, weights: bytes | None) -> tuple[Pixels | None, str]:
    """Return the subject's matte at the photograph's size, or None, and how it was found.

    On a backdrop of one colour GrabCut finds thin parts that the network misses, so both are taken together there.
    """
    if weights is None:
        mask = _find_subject(photo, rng)
        return (None if mask is None else _refine_matte(photo, mask)), "grabcut"
    seen = subject_matte.find_subject(photo, weights)
    mask = _find_subject(photo, rng) if subject_matte.plain_backdrop(photo) else None
    by_colour = None if mask is None else _refine_matte(photo, mask)
    if not seen.usable:
        return by_colour, "grabcut"
    matte = subject_matte.refine(photo, seen.probability)
    if by_colour is not None and _contains(by_colour, matte):
        matte = np.maximum(matte, by_colour)
    return matte, "network"


def _contains(outer: Pixels, inner: Pixels) -> bool:
    """Return whether almost all of one matte lies in the other, which is not much larger."""
    whole = float(inner.sum())
    return float(np.minimum(outer, inner).sum()) > 0.9 * whole and float(outer.sum()) < 2 * whole


def _find_subject(photo: Pixels, rng: Generator) -> Bytes | None:
    """Return 1 on the subject, at a small size; None when there is no distinct subject."""
    height, width = size_of(photo)
    if min(height, width) < 24:
        return None
    scale = min(1.0, WORK_SIDE / max(height, width))
    small = resize(photo, max(round(height * scale), 16), max(round(width * scale), 16))
    prior = _difference_from_border(small, rng)
    seeds = _seeds(prior)
    if (seeds == cv2.GC_PR_FGD).sum() < 30:
        return None
    state = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    try:
        cv2.grabCut(to_bytes(small), seeds, (0, 0, 0, 0), *state, 6, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    mask = ((seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)).astype(np.uint8)
    mask = _keep_main_pieces(mask, prior)
    share = float(mask.mean())
    return mask if MIN_SHARE < share < MAX_SHARE else None


def _difference_from_border(small: Pixels, rng: Generator) -> Pixels:
    """Return how much each pixel differs from the picture's border (0 to 1), with more weight in the middle."""
    height, width = size_of(small)
    tone = colour.lab(blur(small, 1.2))
    strip = max(3, round(0.045 * min(height, width)))
    border = np.zeros((height, width), bool)
    border[:strip] = border[:, :strip] = border[:, -strip:] = True
    border[-strip:] = True
    samples = tone[border]
    samples = samples[rng.permutation(len(samples))[:4000]]
    # what is rare on the border is probably the subject reaching out of the picture: leave it out
    middle = np.median(samples, axis=0)
    away = np.linalg.norm((samples - middle) * floats([0.5, 1, 1]), axis=1)
    samples = samples[away <= np.quantile(away, 0.88)]
    centres = _centres(samples, 6, rng)
    gaps = [np.linalg.norm((tone - centre) * floats([0.55, 1, 1]), axis=2) for centre in centres]
    unlike = np.min(gaps, axis=0).astype(np.float32)
    unlike = np.minimum(unlike / np.float32(max(float(np.percentile(unlike, 96)), 6.0)), 1)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    central = np.exp(-(x * x + y * y) * np.float32(0.9))
    return guided_filter(unlike * (0.35 + 0.65 * central), colour.luma(small), 5, 0.002)


def _centres(samples: Pixels, count: int, rng: Generator) -> Pixels:
    centres = samples[rng.permutation(len(samples))[:count]]
    for _ in range(8):
        nearest = ((samples[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.stack(
            [samples[nearest == i].mean(axis=0) if (nearest == i).any() else centres[i] for i in range(len(centres))]
        )
    return centres


def _seeds(prior: Pixels) -> Bytes:
    """Return GrabCut's seeds: likely and sure foreground, likely and sure background."""
    level = cv2.threshold(to_bytes(prior), 0, 255, cv2.THRESH_OTSU)[0] / 255
    height, width = prior.shape
    seeds = np.full(prior.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[prior > level] = cv2.GC_PR_FGD
    seeds[prior > max(level * 1.7, 0.72)] = cv2.GC_FGD
    edge = max(1, round(0.012 * min(height, width)))
    rim = np.zeros(prior.shape, bool)
    rim[:edge] = rim[:, :edge] = rim[:, -edge:] = True
    rim[-edge:] = True
    seeds[rim & (prior < level * 1.25)] = cv2.GC_BGD
    seeds[prior < level * 0.28] = cv2.GC_BGD
    return seeds


def _keep_main_pieces(mask: Bytes, prior: Pixels) -> Bytes:
    """Keep the main pieces, without specks and pinholes."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    count, labels, _, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return mask
    weight = np.bincount(labels.ravel(), prior.ravel(), count)
    weight[0] = 0
    keep = weight >= 0.35 * weight.max()
    mask = keep[labels].astype(np.uint8)
    return _fill_holes(mask, prior)


def _fill_holes(mask: Bytes, prior: Pixels) -> Bytes:
    """Fill holes, except an opening through which the background is visible, such as a handle's.

    Such an opening looks like the border, is not large, and has nothing of the subject inside it.
    """
    total = int(mask.sum())
    solid = mask.copy()
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(solid, outlines, -1, (1,), -1)
    hollow: Bytes = solid - np.minimum(mask, solid)
    count, holes, stats, _ = cv2.connectedComponentsWithStats(hollow, connectivity=4)
    for number in range(1, count):
        here: Bytes = cv2.inRange(holes, (number,), (number,)) > 0
        area = int(stats[number, cv2.CC_STAT_AREA])
        around, _ = cv2.findContours(here.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        whole = float(sum(cv2.contourArea(contour) for contour in around))
        open_through = 0.003 * total < area < 0.12 * total and whole < 1.25 * area and float(prior[here].mean()) < 0.16
        if open_through:
            solid[here] = 0
    return solid


def _refine_matte(photo: Pixels, mask: Bytes) -> Pixels:
    """Scale the small mask to full size along the photograph's edges."""
    height, width = size_of(photo)
    scale = max(height, width) / max(mask.shape)
    large = np.clip(resize(mask.astype(np.float32), height, width), 0, 1)
    large = blur(large, 0.5 * scale)
    reach = max(2.0, 2.2 * scale)
    planes = [guided_filter(large, np.ascontiguousarray(photo[:, :, c]), reach, 0.0012) for c in range(3)]
    matte = np.clip((planes[0] + planes[1] + planes[2]) / 3, 0, 1)
    sure = smoothstep(0.97, 1.0, blur(large, 2 * scale))
    gone = smoothstep(0.03, 0.0, blur(large, 2 * scale))
    matte = smoothstep(0.28, 0.74, matte)
    return np.clip(np.maximum(matte, sure) * (1 - gone), 0, 1)


def _clean_edges(photo: Pixels, matte: Pixels) -> Pixels:
    """Replace colours at the rim, where the old background shows through, by those from further inside."""
    inside = smoothstep(0.86, 0.99, matte)
    reach = max(2.0, max(size_of(photo)) / 300)
    carried = blur(photo * inside[:, :, None], reach) / np.maximum(blur(inside, reach), 1e-3)[:, :, None]
    certain = smoothstep(0.01, 0.08, blur(inside, reach))
    rim = (1 - inside) * certain
    return np.clip(photo + (carried - photo) * rim[:, :, None], 0, 1)


def _trim(photo: Pixels, alpha: Pixels, method: str) -> Cutout:
    rows = np.flatnonzero((alpha > 0.05).any(axis=1))
    columns = np.flatnonzero((alpha > 0.05).any(axis=0))
    if not len(rows) or not len(columns):
        return _card(photo)
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return Cutout(np.ascontiguousarray(photo[box]), np.ascontiguousarray(alpha[box]), method)


def _card(photo: Pixels) -> Cutout:
    """Return the whole photograph as a print with a white border."""
    height, width = size_of(photo)
    border = max(1, round(0.035 * max(height, width)))
    framed = cv2.copyMakeBorder(photo, border, border, border, border, cv2.BORDER_CONSTANT, value=(0.97, 0.965, 0.95))
    return Cutout(framed, np.ones(framed.shape[:2], np.float32), "card")
