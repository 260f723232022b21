"""Pictures of figures: where columns and their parts stand in a drawing 100 high; templates/reports/chart.html draws it.

Words stand outside the drawing, so that it may stretch; what it shows stands in a table beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10
from typing import Any, NamedTuple

SERIES = 6
"""What there are colours for."""
STEPS = 5
"""Lines of a scale at most, beside the lowest."""


class Series(NamedTuple):
    """One thing that is counted: its name and a value for each column. `colour` is one of the six."""

    title: str
    values: Sequence[float]
    colour: int


def scale(lowest: float, highest: float) -> tuple[float, float, float]:
    """(bottom, top, step) of a scale that holds both and zero, in steps of 1, 2 or 5 times a power of ten."""
    low, high = min(lowest, 0), max(highest, 0)
    if low == high:
        return 0, 1, 1
    span = high - low
    step = 10.0 ** floor(log10(span / STEPS))
    for times in (1, 2, 5, 10, 20, 50):
        bottom, top = floor(low / (step * times)), ceil(high / (step * times))
        if top - bottom <= STEPS:
            return bottom * step * times, top * step * times, step * times
    raise AssertionError("fifty times the smallest step is more than the span")


def columns(
    titles: Sequence[str], series: Sequence[Series], write: Callable[[float], str], *, label: str, stacked: bool = True
) -> dict[str, Any]:
    """Columns with the parts of each one on the other (negative ones downwards), or side by side."""
    series = [each for each in series if any(each.values)] or series[:1]
    above = [sum(each.values[n] for each in series if each.values[n] > 0) for n in range(len(titles))]
    below = [sum(each.values[n] for each in series if each.values[n] < 0) for n in range(len(titles))]
    if not stacked:
        above = [max(each.values[n] for each in series) for n in range(len(titles))]
        below = [min(each.values[n] for each in series) for n in range(len(titles))]
    bottom, top, step = scale(min(below), max(above))
    height = 100 / (top - bottom)
    lines = [bottom + step * n for n in range(round((top - bottom) / step) + 1)]
    return {
        "label": label,
        "ticks": _written(lines[::-1], write),
        "lines": [round((top - line) * height, 3) for line in lines],
        "zero": round(top * height, 3),
        "series": [{"title": each.title, "colour": each.colour} for each in series],
        "columns": [
            {
                "title": titles[n],
                "said": [f"{each.title}: {write(each.values[n])}" for each in series if each.values[n]],
                "parts": _stack(series, n, top, height) if stacked else _side_by_side(series, n, top, height),
            }
            for n in range(len(titles))
        ],
    }


def _stack(series: Sequence[Series], n: int, top: float, height: float) -> list[dict[str, Any]]:
    up = down = 0.0
    parts: list[dict[str, Any]] = []
    for each in series:
        value = each.values[n]
        if value > 0:
            up += value
            parts.append(_part(1.5, 7, top - up, value, height, each.colour))
        elif value < 0:
            parts.append(_part(1.5, 7, top - down, -value, height, each.colour))
            down += value
    return parts


def _side_by_side(series: Sequence[Series], n: int, top: float, height: float) -> list[dict[str, Any]]:
    width = 8 / len(series)
    return [
        _part(1 + place * width, width * 0.9, top - max(each.values[n], 0), abs(each.values[n]), height, each.colour)
        for place, each in enumerate(series)
        if each.values[n]
    ]


def _part(x: float, width: float, y: float, tall: float, height: float, colour: int) -> dict[str, Any]:
    return {
        "x": round(x, 2),
        "width": round(width, 2),
        "y": round(y * height, 3),
        "height": round(tall * height, 3),
        "colour": colour,
    }


def _written(lines: list[float], write: Callable[[float], str]) -> list[str]:
    """The scale's words; without the small coins where no line has any."""
    found = [write(each) for each in lines]
    whole = [each.replace(".00", "") for each in found]
    return whole if all(".00" in each for each in found) else found
