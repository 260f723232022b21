"""Validated parameters of one request, read by name and type."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vetrina.clients.engines.base import Value
from vetrina.clients.engines.builtin.arrays import Pixels


class ParameterValues:
    """Validated parameters, read by name and type."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def number(self, name: str) -> float:
        """Return the value of a number parameter."""
        return float(self._values[name])

    def integer(self, name: str) -> int:
        """Return the value of an integer parameter."""
        return int(self._values[name])

    def choice(self, name: str) -> str:
        """Return the chosen option's name."""
        return str(self._values[name])

    def boolean(self, name: str) -> bool:
        """Return the value of a yes-or-no parameter."""
        return bool(self._values[name])

    def colour(self, name: str) -> Pixels:
        """Return a colour as three numbers, 0 to 1."""
        code = str(self._values[name])
        return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
