"""Directions of a picture: the structure tensor, and filters along and across it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from vetrina.clients.engines.builtin.arrays import Pixels
from vetrina.clients.engines.builtin.raster.image_io import blur


class Flow(NamedTuple):
    """For each pixel a unit vector along the edges, and its certainty (0 to 1)."""

    x: Pixels
    y: Pixels
    sure: Pixels


def estimate_flow(picture: Pixels, sigma: float, far: float = 4.0) -> Flow:
    """Return the smoothed structure tensor's minor direction; flat areas take that of their wider surroundings.

    The tensor is blurred, not the gradient, so that opposite edges agree (Weickert).
    """
    planes = [picture] if picture.ndim == 2 else [picture[:, :, c] for c in range(picture.shape[2])]
    xx = yy = xy = np.zeros(picture.shape[:2], np.float32)
    for plane in planes:
        soft = cv2.GaussianBlur(plane, (0, 0), 1.2)
        gx, gy = cv2.Scharr(soft, cv2.CV_32F, 1, 0), cv2.Scharr(soft, cv2.CV_32F, 0, 1)
        xx, yy, xy = xx + gx * gx, yy + gy * gy, xy + gx * gy
    tensor = np.stack([xx, yy, xy], axis=2)
    near = blur(tensor, sigma)
    wide = blur(tensor, sigma * far)
    widest = blur(tensor, sigma * far * 4)
    xx, yy, xy = cv2.split(near + np.float32(0.06) * wide + np.float32(0.02) * widest)
    angle = np.float32(0.5) * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    split = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    sure = split / (xx + yy + np.float32(1e-6))
    return Flow(np.cos(angle), np.sin(angle), sure)


def rotate(field: Flow, degrees: float) -> Flow:
    """Rotate the field by an angle."""
    c, s = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
    return Flow(field.x * c - field.y * s, field.x * s + field.y * c, field.sure)


def bias_towards(field: Flow, degrees: float, strength: float) -> Flow:
    """Bias the field towards one direction where it is uncertain, like the slant of a hand."""
    a = np.radians(degrees)
    towards_x, towards_y = np.float32(np.cos(2 * a)), np.float32(np.sin(2 * a))
    own = field.sure * field.sure
    pull = np.float32(strength) * (1 - own)
    double_x = (field.x * field.x - field.y * field.y) * own + towards_x * pull
    double_y = 2 * field.x * field.y * own + towards_y * pull
    angle = np.float32(0.5) * np.arctan2(double_y, double_x)
    return Flow(np.cos(angle), np.sin(angle), field.sure)


def blur_along(picture: Pixels, field: Flow, reach: float, steps: int = 8) -> Pixels:
    """Average along the field's lines, `reach` pixels each way (line integral convolution)."""
    height, width = picture.shape[:2]
    home_x = np.repeat(np.arange(width, dtype=np.float32)[None, :], height, axis=0)
    home_y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    total = picture.copy()
    stride = np.float32(reach / steps)
    for sign in (1.0, -1.0):
        vx: Pixels = field.x * np.float32(sign)
        vy: Pixels = field.y * np.float32(sign)
        x, y = home_x + vx * stride, home_y + vy * stride
        for _ in range(steps):
            total += cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            nx = cv2.remap(field.x, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            ny = cv2.remap(field.y, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            back: Pixels = np.where(nx * vx + ny * vy < 0, np.float32(-stride), stride)
            vx, vy = nx * np.sign(back), ny * np.sign(back)
            x += nx * back
            y += ny * back
    return total / np.float32(2 * steps + 1)


def difference_across(plane: Pixels, field: Flow, sigma: float, wider: float, tau: float) -> Pixels:
    """Return the difference of two Gaussians across the field (Kang's flow-based DoG, first half)."""
    height, width = plane.shape
    home_x = np.repeat(np.arange(width, dtype=np.float32)[None, :], height, axis=0)
    home_y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    reach = max(2, round(2.2 * sigma * wider))
    inner = np.zeros_like(plane)
    outer = np.zeros_like(plane)
    inner_weight = outer_weight = 0.0
    for step in range(-reach, reach + 1):
        a = float(np.exp(-(step**2) / (2 * sigma**2)))
        b = float(np.exp(-(step**2) / (2 * (sigma * wider) ** 2)))
        offset = np.float32(step)
        seen = cv2.remap(
            plane,
            home_x - field.y * offset,
            home_y + field.x * offset,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        inner += seen * np.float32(a)
        outer += seen * np.float32(b)
        inner_weight += a
        outer_weight += b
    return inner / np.float32(inner_weight) - np.float32(tau) * outer / np.float32(outer_weight)
