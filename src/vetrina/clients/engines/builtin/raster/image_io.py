"""Pictures as arrays: decoding to a working size, encoding, scaling and blurring."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyvips

from vetrina.clients.engines.builtin.arrays import Bytes, Pixels, floats

REFERENCE_SIDE = 1600.0
"""The long side at which lengths are given in pixels; see `unit`."""
MAX_ENLARGEMENT = 3.2
MIN_LONG_SIDE = 64
MIN_SHORT_SIDE = 64


def decode(data: bytes, long_side: int) -> tuple[Pixels, Pixels | None]:
    """Decode a picture scaled to at most `long_side` pixels; return it and its alpha plane, if that hides anything.

    Small pictures are enlarged, at most 3.2 times, to leave room for strokes. Raises pyvips.Error for
    what cannot be decoded whole.
    """
    header = pyvips.Image.new_from_buffer(data, "", access="sequential")
    longest = max(header.width, header.height)
    target = min(long_side, max(round(longest * MAX_ENLARGEMENT), MIN_LONG_SIDE))
    image = pyvips.Image.thumbnail_buffer(
        data,
        target,
        height=target,
        size="both",
        output_profile="srgb",
        option_string="[fail_on=truncated]",  # its own fail_on is not handed on to the loader
    )
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar")
    array = image.numpy()
    if array.ndim == 2:
        array = array[:, :, None]
    colour, alpha = array, None
    if array.shape[2] in (2, 4):
        colour, plane = array[:, :, :-1], array[:, :, -1]
        if plane.min() < 250:
            alpha = plane.astype(np.float32) / 255
    if colour.shape[2] == 1:
        colour = np.repeat(colour, 3, axis=2)
    return np.ascontiguousarray(colour[:, :, :3]).astype(np.float32) / 255, alpha


def encode(picture: Pixels) -> bytes:
    """Encode as JPEG, quality 92, full colour resolution (thin coloured lines survive), no metadata."""
    return pyvips.Image.new_from_array(to_bytes(picture), interpretation="srgb").jpegsave_buffer(
        Q=92, subsample_mode="off", optimize_coding=True, keep=0
    )


MIME = "image/jpeg"


def to_bytes(picture: Pixels) -> Bytes:
    """Convert 0 to 1 to 0 to 255, rounded."""
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def from_bytes(picture: Bytes) -> Pixels:
    """Return 8-bit values as floats, 0 to 1."""
    return picture.astype(np.float32) / np.float32(255)


def size_of(picture: npt.NDArray[Any]) -> tuple[int, int]:
    """Return height and width in pixels."""
    return int(picture.shape[0]), int(picture.shape[1])


def reference_scale(picture: npt.NDArray[Any]) -> float:
    """Return the length of one pixel of a 1600-pixel picture in this one, so that lengths look alike at every size."""
    return max(max(size_of(picture)) / REFERENCE_SIDE, 0.2)


def over_background(picture: Pixels, alpha: Pixels | None, ground: tuple[float, float, float]) -> Pixels:
    """Return the picture over a plain background."""
    if alpha is None:
        return picture
    cover = alpha[:, :, None]
    return picture * cover + floats(ground) * (1 - cover)


def pad_to_minimum(picture: Pixels) -> Pixels:
    """Add mirrored margins at right and bottom, so that no side is shorter than 64 pixels."""
    height, width = size_of(picture)
    below, beside = max(0, MIN_SHORT_SIDE - height), max(0, MIN_SHORT_SIDE - width)
    if not below and not beside:
        return picture
    return cv2.copyMakeBorder(picture, 0, below, 0, beside, cv2.BORDER_REFLECT)


def resize(picture: Pixels, height: int, width: int) -> Pixels:
    """Scale to exactly this size: averaged when smaller, cubic when larger."""
    now = size_of(picture)
    if now == (height, width):
        return picture
    interpolation = cv2.INTER_AREA if height * width < now[0] * now[1] else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=interpolation)


def blur(picture: Pixels, sigma: float) -> Pixels:
    """Apply a Gaussian blur; wide ones are computed on a smaller copy, which looks the same."""
    if sigma < 0.3:
        return picture
    if sigma < 6:
        return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    height, width = size_of(picture)
    shrink = min(sigma / 3, height / 8, width / 8)
    if shrink <= 1.5:
        return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    small = cv2.resize(picture, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def smoothstep(low: float, high: float, value: Pixels) -> Pixels:
    """Return 0 below `low`, 1 above `high`, an S-curve between (or the other way round when high < low)."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(one: Pixels, other: Pixels, share: Pixels | float) -> Pixels:
    """Return `one` where share is 0, `other` where it is 1, a mix between."""
    if isinstance(share, np.ndarray) and share.ndim == 2 and one.ndim == 3:
        share = share[:, :, None]
    return one + (other - one) * np.asarray(share, np.float32)
