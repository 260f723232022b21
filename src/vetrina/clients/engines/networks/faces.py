"""Finding faces: YuNet."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vetrina.clients.engines.networks.network import Array

SIDE = 640
MIN_SCORE = 0.8


def faces(weights: bytes, photo: Array) -> list[tuple[float, float, float, float]]:
    """Return the faces of a photograph (sRGB, 0 to 1): left, top, width and height as shares of the picture's sides."""
    height, width = photo.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(round(width * scale), 16), max(round(height * scale), 16))
    small: Array = np.clip(cv2.resize(photo, size, interpolation=cv2.INTER_AREA) * 255, 0, 255)
    picture = cv2.cvtColor(small.astype(np.uint8), cv2.COLOR_RGB2BGR)
    detector = cv2.FaceDetectorYN.create("onnx", np.frombuffer(weights, np.uint8), np.array([], np.uint8), size)
    detector.setScoreThreshold(MIN_SCORE)
    rows: Any = detector.detect(picture)[1]  # None without a face, which the stubs leave out
    boxes = [] if rows is None else [[float(value) for value in row[:4]] for row in rows]
    return [(left / size[0], top / size[1], wide / size[0], tall / size[1]) for left, top, wide, tall in boxes]
