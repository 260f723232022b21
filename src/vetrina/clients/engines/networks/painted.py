"""Repainting a photograph in one of 26 learned styles (conditional instance normalization)."""

from __future__ import annotations

import numpy as np

from vetrina.clients.engines.networks.network import Array, Network, padded_to_fours

STYLES = 26


def painted(weights: bytes, photo: Array, style: int) -> Array:
    """Return the photograph (sRGB, 0 to 1) in the style numbered 0 to 25."""
    height, width = photo.shape[:2]
    mixture = np.zeros(STYLES, np.float32)
    mixture[style] = 1
    picture = padded_to_fours(photo).transpose(2, 0, 1)[None]
    result = Network(weights).run({"image": picture, "style_weights": mixture})
    return np.clip(result[0].transpose(1, 2, 0)[:height, :width], 0, 1)
