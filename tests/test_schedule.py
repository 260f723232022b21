"""The order that tests run in over several workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from tests import schedule


@dataclass(frozen=True)
class Item:
    """What `arrange` sees of a test."""

    path: Path
    number: int


def items_of(sizes: Sequence[tuple[str, int]]) -> list[Any]:
    """Return the tests of files of these names and numbers of tests."""
    return [Item(schedule.ROOT / name, number) for name, count in sizes for number in range(count)]


def test_files_that_are_called_long_exist() -> None:
    assert [name for name in schedule.SECONDS if not (schedule.ROOT / name).is_file()] == []


def test_each_worker_begins_with_long_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "SECONDS", {"long.py": 30, "middle.py": 20, "less.py": 15})
    given = items_of([("a.py", 5), ("less.py", 1), ("b.py", 6), ("long.py", 2), ("c.py", 4), ("middle.py", 2)])
    arranged = list(given)
    schedule.arrange(cast("list[pytest.Item]", arranged), 2)
    assert sorted(map(str, arranged)) == sorted(map(str, given))
    assert [item.path.name for item in arranged[:2]] == ["long.py", "long.py"]
    assert [item.path.name for item in arranged[10:13]] == ["middle.py", "middle.py", "less.py"]
    others = [item.path.name for item in arranged if item.path.name in {"a.py", "b.py", "c.py"}]
    assert others == ["a.py"] * 5 + ["b.py"] * 6 + ["c.py"] * 4


def test_one_long_file_may_be_more_than_a_workers_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "SECONDS", {"long.py": 30})
    arranged = items_of([("a.py", 1), ("long.py", 9)])
    schedule.arrange(arranged, 2)
    assert [item.path.name for item in arranged] == ["long.py"] * 9 + ["a.py"]
