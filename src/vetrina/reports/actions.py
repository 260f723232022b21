"""Reports: bring the derived states up to date, compute figures, verify them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from vetrina.core.database.connection import Database, Tx
from vetrina.reports import queries
from vetrina.reports.catalogue import Column, get_report
from vetrina.reports.model import Difference, InvalidDate

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
MONTHS = 60
"""The largest number of months that a report covers."""


class Figures(msgspec.Struct, frozen=True):
    """The figures of a report at the end of `as_of` (UTC).

    `followed_until` is the time up to which the mirror's history is included.
    """

    name: str
    title: str
    about: str
    as_of: date
    months: int
    followed_until: datetime
    counts: list[str]
    """What the figures include and leave out."""
    columns: list[Column]
    rows: list[dict[str, Any]]


def today() -> date:
    """Return the current date in UTC."""
    return datetime.now(UTC).date()


def parse_date(text: str | None) -> date | None:
    """Parse an ISO date; return None for an empty text. Raises InvalidDate (422)."""
    if not text:
        return None
    try:
        value = date.fromisoformat(text)
    except ValueError:
        raise InvalidDate from None
    if not EARLIEST <= value <= LATEST:
        raise InvalidDate
    return value


async def figures(db: Database, name: str, *, as_of: date | None = None, months: int | None = None) -> Figures:
    """Return the report `name` at the end of a day (default: today), after a refresh. Raises NoSuchReport (404)."""
    report = get_report(name)
    end_day = as_of or today()
    span = min(max(months or report.months, 1), MONTHS)
    followed_until = await refresh(db)
    until = datetime.combine(end_day + timedelta(days=1), time(), UTC)
    async with db.read() as tx:
        rows = await tx.fetch_all(report.statement, until=until, months=span)
    report_rows = report.make(rows) if report.make else rows
    values = [{column.name: getattr(row, column.name) for column in report.columns} for row in report_rows]
    return Figures(name, report.title, report.about, end_day, span, followed_until, list(report.counts), report.columns, values)


async def refresh(db: Database, *, rebuild: bool = False) -> datetime:
    """Refresh the derived states, or `rebuild` all of them; return the end of the history that they include.

    If another transaction is refreshing, return the progress that it has committed.
    """
    async with db.tx() as tx:
        await tx.fetch_optional(queries.REFRESH, all=rebuild)
    async with db.read() as tx:
        progress = await tx.fetch_optional(queries.PROGRESS)
    return progress.done_until if progress else datetime.fromtimestamp(0, UTC)


async def verify(db: Database, limit: int = 20) -> list[Difference]:
    """Compare the stored states with those computed from the whole history; return the differences.

    Events that arrive during the comparison cause a difference once, so it is repeated up to three times.
    """
    differences: list[Difference] = []
    for _ in range(3):
        await refresh(db)
        async with db.read() as tx:
            differences = await tx.fetch_all(queries.DIFFERENCES, limit=limit)
        if not differences:
            break
    return differences


async def terminate_long_queries(tx: Tx, *, seconds: float = 60) -> int:
    """Cancel statements of the reporting role that run longer than `seconds`; return how many were cancelled."""
    return await tx.fetch_one(queries.TERMINATE_LONG_QUERIES, seconds=seconds)
