"""Line drawing: flow-based difference of Gaussians (Kang) and Winnemoeller's extended version."""

from __future__ import annotations

import numpy as np

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.raster.structure_tensor import Flow, blur_along, difference_across


def outlines(plane: Pixels, field: Flow, width: float, *, tau: float = 0.985, bias: float = 0.0, sharp: float = 60.0) -> Pixels:
    """Return 1 on a line, 0 beside it. `width` in pixels; smaller `tau` and larger `bias` give fewer lines."""
    difference = difference_across(plane, field, width, 1.6, tau)
    smooth = blur_along(difference, field, 3.2 * width, 6)
    return _threshold(smooth + np.float32(bias), sharp)


def _threshold(difference: Pixels, sharp: float) -> Pixels:
    ink = np.where(difference > 0, np.float32(0), -np.tanh(difference * np.float32(sharp)))
    return ink.astype(np.float32)


def lines_and_blacks(plane: Pixels, field: Flow, width: float, *, weight: float, level: float, sharp: float = 12.0) -> Pixels:
    """Return the extended DoG, 1 is black: lines, and solid blacks where the plane is below `level` (0 to 1)."""
    difference = difference_across(plane, field, width, 1.6, 1.0)
    edge = plane + np.float32(weight) * blur_along(difference, field, 3.5 * width, 6)
    white = np.where(edge > level, np.float32(1), 1 + np.tanh(np.float32(sharp) * (edge - np.float32(level))))
    return np.clip(1 - white, 0, 1).astype(np.float32)
