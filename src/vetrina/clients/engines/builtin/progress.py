"""Progress and knobs: what a pass is told and what it tells."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[float, str], None]


class StageProgress:
    """Tells the progress of one stretch of the work; fractions are of that stretch and never fall."""

    def __init__(self, report: Report, begin: float = 0.0, end: float = 1.0) -> None:
        self._report, self._begin, self._end = report, begin, end

    def __call__(self, fraction: float, name: str) -> None:
        """`fraction` of this stretch is done, and `name` begins."""
        self._report(self._begin + (self._end - self._begin) * min(max(fraction, 0.0), 1.0), name)

    def part(self, begin: float, end: float) -> StageProgress:
        """A stretch within this one."""
        span = self._end - self._begin
        return StageProgress(self._report, self._begin + span * begin, self._begin + span * end)
