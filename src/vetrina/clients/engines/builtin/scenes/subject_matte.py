"""The matte of a photograph's subject, as a network sees it, refined along the photograph's own edges."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.raster import colour
from vetrina.clients.engines.builtin.raster.image_io import resize, size_of, smoothstep
from vetrina.clients.engines.builtin.raster.smoothing import guided_filter
from vetrina.clients.engines.networks.subject import SIDE, subject

MAX_DOUBT = 0.7
MIN_SHARE, MAX_SHARE = 0.004, 0.96
CLOSER_LOOK = 0.45
"""Share of the picture below which the box around the subject is looked at once more, larger."""
PLAIN_BACKDROP = 6.0
"""Mean distance in Lab from the border's middle colour, below which the backdrop is one colour."""


class SubjectMatte(NamedTuple):
    """How likely each pixel belongs to the subject, 0 to 1, at a small size; and how doubtful that is (0: sure)."""

    probability: Pixels
    doubt: float

    @property
    def usable(self) -> bool:
        """Return whether there is one distinct subject."""
        share = float(self.probability.mean())
        return MIN_SHARE < share < MAX_SHARE and self.doubt < MAX_DOUBT


def find_subject(photo: Pixels, weights: bytes) -> SubjectMatte:
    """Return the matte of the subject; a small subject is looked at a second time, in its box alone."""
    probability = subject(weights, photo)
    rows, columns = np.flatnonzero((probability > 0.5).any(axis=1)), np.flatnonzero((probability > 0.5).any(axis=0))
    if len(rows) and len(columns):
        top, bottom = _with_margin(int(rows[0]), int(rows[-1]) + 1)
        left, right = _with_margin(int(columns[0]), int(columns[-1]) + 1)
        if (bottom - top) * (right - left) < CLOSER_LOOK * SIDE * SIDE:
            probability = _look_closer(photo, weights, probability, (top, bottom, left, right))
    return SubjectMatte(probability, _doubt(probability))


def _with_margin(start: int, end: int) -> tuple[int, int]:
    margin = max(8, round(0.15 * (end - start)))
    return max(0, start - margin), min(SIDE, end + margin)


def _look_closer(photo: Pixels, weights: bytes, probability: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    """Return the matte at a larger size, with what the network sees in the box alone. Outside of it nothing belongs."""
    top, bottom, left, right = box
    height, width = size_of(photo)
    edges = [round(top / SIDE * height), round(bottom / SIDE * height), round(left / SIDE * width), round(right / SIDE * width)]
    part = photo[edges[0] : edges[1], edges[2] : edges[3]]
    if min(part.shape[:2]) < 32:
        return probability
    large = np.zeros((2 * SIDE, 2 * SIDE), np.float32)
    closer = resize(subject(weights, part), 2 * (bottom - top), 2 * (right - left))
    before = resize(probability, 2 * SIDE, 2 * SIDE)[2 * top : 2 * bottom, 2 * left : 2 * right]
    # the second look may take up something else in the box: it only refines where the first saw something
    near = cv2.dilate((before > 0.2).astype(np.uint8), np.ones((25, 25), np.uint8))
    large[2 * top : 2 * bottom, 2 * left : 2 * right] = np.clip(np.where(near > 0, closer, before), 0, 1)
    return large


def _doubt(probability: Pixels) -> float:
    """Return the undecided part of the matte, relative to the decided: 0 is sure, above 1 it is a guess."""
    undecided = float((4 * probability * (1 - probability)).mean())
    return undecided / max(float(probability.mean()), 1e-3)


def refine(photo: Pixels, probability: Pixels) -> Pixels:
    """Scale a matte to the photograph's size, along its edges."""
    height, width = size_of(photo)
    scale = max(height, width) / max(probability.shape)
    large = np.clip(resize(probability, height, width), 0, 1)
    reach = max(2.0, 1.6 * scale)
    planes = [guided_filter(large, np.ascontiguousarray(photo[:, :, c]), reach, 2e-4) for c in range(3)]
    return smoothstep(0.2, 0.8, np.clip((planes[0] + planes[1] + planes[2]) / 3, 0, 1))


def plain_backdrop(photo: Pixels) -> bool:
    """Return whether the picture's border is of one colour, as a studio's backdrop is."""
    small = colour.lab(resize(photo, 96, 96))
    border = np.concatenate([small[:4].reshape(-1, 3), small[:, :4].reshape(-1, 3), small[:, -4:].reshape(-1, 3)])
    away = np.linalg.norm(border - np.median(border, axis=0), axis=1)
    return float(np.mean(np.sort(away)[: round(0.8 * len(away))])) < PLAIN_BACKDROP
