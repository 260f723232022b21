"""Running a network with OpenCV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # it warns of a setting that only its detector makes

Array = npt.NDArray[Any]


class Network:
    """A network built from ONNX bytes. The same inputs give the same bits, whatever the number of threads."""

    def __init__(self, data: bytes) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))

    def run(self, inputs: Mapping[str, Array]) -> Array:
        """Return the network's output for its inputs by name, 32-bit floats."""
        for name, value in inputs.items():
            self._net.setInput(np.ascontiguousarray(value, np.float32), name)
        return self._net.forward()


def padded_to_fours(photo: Array) -> Array:
    """Return the picture with mirrored margins at right and bottom, so that both sides are multiples of four."""
    height, width = photo.shape[:2]
    return cv2.copyMakeBorder(photo, 0, -height % 4, 0, -width % 4, cv2.BORDER_REFLECT_101)
