"""Repainting a photograph in the style of any other picture (arbitrary image stylization)."""

from __future__ import annotations

import cv2
import numpy as np

from vetrina.clients.engines.networks.network import Array, Network, padded_to_fours

STYLE_SIDE = 256
_STYLE = "mobilenet_conv/Conv/BiasAdd"


def style_of(weights: bytes, picture: Array) -> Array:
    """Return a picture's style as a hundred numbers, of shape 1 x 1 x 1 x 100. It is read from the middle square."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    small = cv2.resize(square, (STYLE_SIDE, STYLE_SIDE), interpolation=cv2.INTER_AREA)
    return Network(weights).run({"style_image": small[None]})


def in_style(weights: bytes, photo: Array, style: Array) -> Array:
    """Return the photograph (sRGB, 0 to 1) in the style that `style_of` returned."""
    height, width = photo.shape[:2]
    result = Network(weights).run({"content_image": padded_to_fours(photo)[None], _STYLE: style})
    return np.clip(result[0, :height, :width], 0, 1)
