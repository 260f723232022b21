"""Figures of the benchmarks: one line each, with their goals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec


class Line(msgspec.Struct):
    """`ours` and `base` in `unit`; `ratio` is ours / base. A goal is on the ratio, or on `ours` where it says so."""

    what: str
    ours: float
    base: float | None
    unit: str
    ratio: float | None = None
    at_least: float | None = None
    """Goal: the ratio is this or more."""
    at_most: float | None = None
    """Goal: the ratio (or `ours`, where there is no ratio) is this or less."""
    below: float | None = None
    """Goal: `ours` is below this."""
    note: str = ""

    @property
    def goal(self) -> str:
        """The goal as text; empty without one."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f"< {self.below:g} {self.unit}" if self.below is not None else ""

    @property
    def goal_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        value = self.ours if self.ratio is None else self.ratio
        if self.at_least is not None:
            return value >= self.at_least
        if self.at_most is not None:
            return value <= self.at_most
        return self.ours < self.below if self.below is not None else None


def text(lines: Sequence[Line]) -> str:
    """Return the lines as a table."""
    rows = [("", "ours", "base", "", "ratio", "goal", "")]
    for line in lines:
        base = "" if line.base is None else _figure(line.base)
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
        verdict = {None: line.note, True: "met", False: "MISSED"}[line.goal_met]
        rows.append((line.what, _figure(line.ours), base, line.unit, ratio, line.goal, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    aligned = "<>><><<"
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, aligned, widths, strict=True)).rstrip()
        for row in rows
    )


def data(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the lines for JSON."""
    return [{**msgspec.to_builtins(line), "goal": line.goal, "met": line.goal_met} for line in lines]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
