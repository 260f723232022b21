"""Time zones by their names in IANA's database, from the system or the package tzdata."""

from __future__ import annotations

import zoneinfo
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")
COOKIE = "time_zone"
"""The cookie in which a browser's script keeps the browser's zone."""
_REGIONS = {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}

_zone: ContextVar[ZoneInfo] = ContextVar("time_zone", default=UTC)


def current() -> ZoneInfo:
    """Return the zone that times are written in: the reader's, or UTC."""
    return _zone.get()


@contextmanager
def use(zone: ZoneInfo) -> Generator[None]:
    """Write times in `zone` within the block."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def named(name: str | None) -> ZoneInfo | None:
    """Return the zone of a name, None for an unknown one. Nothing outside IANA's list is opened."""
    return ZoneInfo(name) if name and name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def choices() -> dict[str, list[str]]:
    """Return the names of places by continent or ocean, without the older names of other forms."""
    groups: dict[str, list[str]] = {}
    for name in sorted(_names()):
        region, _, place = name.partition("/")
        if region in _REGIONS and place:
            groups.setdefault(region, []).append(name)
    return groups


def label(moment: datetime) -> str:
    """Return how a moment's zone is named beside its time: UTC, CET, or UTC+03:30 where there are no letters."""
    name = moment.tzname() or "UTC"
    return name if name.isalpha() else f"UTC{_offset(moment)}"


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset else 0
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
