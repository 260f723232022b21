"""Progress and knobs: what a pass is told and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vetrina.clients.engines.base import Value
from vetrina.clients.engines.builtin.raster.image_io import Pixels

Report = Callable[[float, str], None]


class Steps:
    """Tells the progress of one stretch of the work; fractions are of that stretch and never fall."""

    def __init__(self, report: Report, begin: float = 0.0, end: float = 1.0) -> None:
        self._report, self._begin, self._end = report, begin, end

    def __call__(self, fraction: float, name: str) -> None:
        """`fraction` of this stretch is done, and `name` begins."""
        self._report(self._begin + (self._end - self._begin) * min(max(fraction, 0.0), 1.0), name)

    def part(self, begin: float, end: float) -> Steps:
        """A stretch within this one."""
        span = self._end - self._begin
        return Steps(self._report, self._begin + span * begin, self._begin + span * end)


class Knobs:
    """Checked parameters, by name and type."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def number(self, name: str) -> float:
        return float(self._values[name])

    def whole(self, name: str) -> int:
        return int(self._values[name])

    def word(self, name: str) -> str:
        return str(self._values[name])

    def flag(self, name: str) -> bool:
        return bool(self._values[name])

    def colour(self, name: str) -> Pixels:
        """A colour as three numbers, 0 to 1."""
        code = str(self._values[name])
        return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
