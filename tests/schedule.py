"""The order of the test files over xdist's workers: the long ones first, so that no worker is left with one at the end.

`--dist worksteal` gives each worker an equal count of tests, in their order, and moves tests from the end of one worker's list
to another that has none left.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

SECONDS: dict[str, float] = {}
"""What the long files take, roughly (a whole run with `--durations=0` says it), by path under tests/."""

ROOT = Path(__file__).parent


def arrange(items: list[pytest.Item], workers: int) -> None:
    """Put the long files at the beginning of each worker's part, spread by what they take; the others stay in their order."""
    files = {path: list(group) for path, group in groupby(items, lambda item: item.path)}
    starts: list[list[pytest.Item]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for path, seconds in sorted(_long(files).items(), key=lambda pair: -pair[1]):
        lightest = loads.index(min(loads))
        loads[lightest] += seconds
        starts[lightest] += files.pop(path)
    others = [item for group in files.values() for item in group]
    arranged: list[pytest.Item] = []
    for number, start in enumerate(starts):
        part = (len(items) - len(arranged)) // (workers - number)  # as xdist divides
        fill = max(0, part - len(start))
        arranged += start + others[:fill]
        del others[:fill]
    items[:] = arranged + others


def _long(files: dict[Path, list[pytest.Item]]) -> dict[Path, float]:
    return {path: SECONDS[name] for path in files if (name := path.relative_to(ROOT).as_posix()) in SECONDS}
