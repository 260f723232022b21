"""The figures: one line each, with what they are held to."""

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
    """The ratio is to be this or more."""
    at_most: float | None = None
    """The ratio (or `ours`, where there is no ratio) is to be this or less."""
    below: float | None = None
    """`ours` is to be below this."""
    note: str = ""

    @property
    def goal(self) -> str:
        """In words; empty if it is held to nothing."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f"< {self.below:g} {self.unit}" if self.below is not None else ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        held = self.ours if self.ratio is None else self.ratio
        if self.at_least is not None:
            return held >= self.at_least
        if self.at_most is not None:
            return held <= self.at_most
        return self.ours < self.below if self.below is not None else None


def text(lines: Sequence[Line]) -> str:
    """As a table."""
    rows = [("", "ours", "base", "", "ratio", "goal", "")]
    for each in lines:
        base = "" if each.base is None else _figure(each.base)
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        verdict = {None: each.note, True: "met", False: "MISSED"}[each.met]
        rows.append((each.what, _figure(each.ours), base, each.unit, ratio, each.goal, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    aligned = "<>><><<"
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, aligned, widths, strict=True)).rstrip()
        for row in rows
    )


def data(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """For JSON."""
    return [{**msgspec.to_builtins(each), "goal": each.goal, "met": each.met} for each in lines]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
