"""Finding the subject of a photograph: U2-Net, small."""

from __future__ import annotations

import cv2
import numpy as np

from vetrina.clients.engines.networks.network import Array, Network

SIDE = 320
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def subject(weights: bytes, photo: Array) -> Array:
    """Return how likely each pixel belongs to the subject, 0 to 1, as a plane of 320 x 320 pixels.

    `photo` is height x width x 3, sRGB, 0 to 1. The network looks at the whole picture squeezed into a square.
    """
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    normal = (small / max(float(small.max()), 1e-6) - _MEAN) / _DEVIATION
    return np.clip(Network(weights).run({"input.1": normal.transpose(2, 0, 1)[None]})[0, 0], 0, 1)
