"""Geometry of stacked and grouped column charts in a drawing 100 units high; templates/components/chart.html draws it.

Labels are outside the drawing, so it may stretch; the values are also in a table beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10
from typing import Any, NamedTuple

SERIES = 6
"""The number of series colours."""
STEPS = 5
"""The largest number of grid lines above the lowest one."""


class Series(NamedTuple):
    """A series: its title, a value for each column, and one of the six colours."""

    title: str
    values: Sequence[float]
    colour: int


def scale(lowest: float, highest: float, smallest: float = 0) -> tuple[float, float, float]:
    """Return (bottom, top, step) of a scale that includes both values and zero, in steps of 1, 2 or 5 times a power of ten.

    No step is below `smallest`: 1 for counts.
    """
    low, high = min(lowest, 0), max(highest, 0)
    if low == high:
        return 0, 1, 1
    span = high - low
    step = max(10.0 ** floor(log10(span / STEPS)), smallest)
    for times in (1, 2, 5, 10, 20, 50):
        bottom, top = floor(low / (step * times)), ceil(high / (step * times))
        if top - bottom <= STEPS:
            return bottom * step * times, top * step * times, step * times
    raise AssertionError("fifty times the smallest step is more than the span")


def columns(
    titles: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float], str],
    *,
    label: str,
    stacked: bool = True,
    smallest: float = 0,
) -> dict[str, Any]:
    """Return the geometry of a column chart: stacked (negative values downwards) or grouped."""
    series = [item for item in series if any(item.values)] or series[:1]
    highest = [sum(item.values[n] for item in series if item.values[n] > 0) for n in range(len(titles))]
    lowest = [sum(item.values[n] for item in series if item.values[n] < 0) for n in range(len(titles))]
    if not stacked:
        highest = [max(item.values[n] for item in series) for n in range(len(titles))]
        lowest = [min(item.values[n] for item in series) for n in range(len(titles))]
    bottom, top, step = scale(min(lowest), max(highest), smallest)
    height = 100 / (top - bottom)
    lines = [bottom + step * n for n in range(round((top - bottom) / step) + 1)]
    return {
        "label": label,
        "ticks": _tick_labels(lines[::-1], write),
        "lines": [round((top - line) * height, 3) for line in lines],
        "zero": round(top * height, 3),
        "series": [{"title": item.title, "colour": item.colour} for item in series],
        "columns": [
            {
                "title": titles[n],
                "values": [f"{item.title}: {write(item.values[n])}" for item in series if item.values[n]],
                "rectangles": _stack(series, n, top, height) if stacked else _side_by_side(series, n, top, height),
            }
            for n in range(len(titles))
        ],
    }


def _stack(series: Sequence[Series], n: int, top: float, height: float) -> list[dict[str, Any]]:
    up = down = 0.0
    rectangles: list[dict[str, Any]] = []
    for item in series:
        value = item.values[n]
        if value > 0:
            up += value
            rectangles.append(_rectangle(1.5, 7, top - up, value, height, item.colour))
        elif value < 0:
            rectangles.append(_rectangle(1.5, 7, top - down, -value, height, item.colour))
            down += value
    return rectangles


def _side_by_side(series: Sequence[Series], n: int, top: float, height: float) -> list[dict[str, Any]]:
    width = 8 / len(series)
    return [
        _rectangle(1 + position * width, width * 0.9, top - max(item.values[n], 0), abs(item.values[n]), height, item.colour)
        for position, item in enumerate(series)
        if item.values[n]
    ]


def _rectangle(x: float, width: float, y: float, extent: float, height: float, colour: int) -> dict[str, Any]:
    return {
        "x": round(x, 2),
        "width": round(width, 2),
        "y": round(y * height, 3),
        "height": round(extent * height, 3),
        "colour": colour,
    }


def _tick_labels(lines: list[float], write: Callable[[float], str]) -> list[str]:
    """Format the tick labels, without decimals if all of them are whole."""
    labels = [write(item) for item in lines]
    whole = [item.replace(".00", "") for item in labels]
    return whole if all(".00" in item for item in labels) else labels
