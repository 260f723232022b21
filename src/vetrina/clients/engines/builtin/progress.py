"""Progress of the rendering passes."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[float, str], None]


class StageProgress:
    """Reports the progress of one stage of the work; fractions are of that stage and never fall."""

    def __init__(self, report: Report, begin: float = 0.0, end: float = 1.0) -> None:
        self._report, self._begin, self._end = report, begin, end

    def __call__(self, fraction: float, name: str) -> None:
        """Report that `fraction` of this stage is done, and that the step `name` begins."""
        self._report(self._begin + (self._end - self._begin) * min(max(fraction, 0.0), 1.0), name)

    def part(self, begin: float, end: float) -> StageProgress:
        """Return a stage within this one."""
        span = self._end - self._begin
        return StageProgress(self._report, self._begin + span * begin, self._begin + span * end)
