"""Array types of the rendering passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]
"""32-bit floats: height x width x 3 (display sRGB, 0 to 1), or height x width for one plane.

Any, because the stubs of numpy and OpenCV widen such arrays at every step.
"""

Bytes = npt.NDArray[Any]
"""The same as 0 to 255, for OpenCV to draw on."""


def floats(values: Any) -> Pixels:
    """Return a small array of 32-bit floats: a colour, a matrix or some points."""
    return np.asarray(values, np.float32)
