"""Reports: bring the derived states up to date, compute figures, verify them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from vetrina.core.database.connection import Database, Tx
from vetrina.reports import queries
from vetrina.reports.catalogue import Column, named
from vetrina.reports.model import BadDate, Difference

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
MONTHS = 60
"""A report tells at most so many months."""


class Figures(msgspec.Struct, frozen=True):
    """A report as it stood at the end of `as_of` (UTC).

    `followed_until` is how far the history has been followed: what came since is not in it.
    """

    name: str
    title: str
    about: str
    as_of: date
    months: int
    followed_until: datetime
    columns: list[Column]
    rows: list[dict[str, Any]]


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


def day(text: str | None) -> date | None:
    """The day that a text names; None for an empty one. Raises BadDate (422)."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadDate from None
    if not EARLIEST <= found <= LATEST:
        raise BadDate
    return found


async def figures(db: Database, name: str, *, as_of: date | None = None, months: int | None = None) -> Figures:
    """The report `name` as of the end of a day (today), after following the mirror. Raises NoSuchReport (404)."""
    report = named(name)
    at = as_of or today()
    back = min(max(months or report.months, 1), MONTHS)
    followed = await follow(db)
    until = datetime.combine(at + timedelta(days=1), time(), UTC)
    async with db.read() as tx:
        rows = await tx.all(report.statement, until=until, months=back)
    made = report.make(rows) if report.make else rows
    told = [{column.name: getattr(row, column.name) for column in report.columns} for row in made]
    return Figures(name, report.title, report.about, at, back, followed, report.columns, told)


async def follow(db: Database, *, anew: bool = False) -> datetime:
    """Bring the derived states up to what the mirror has, or work all of them out anew; until when they follow it.

    When somebody else is at it already, what they have done so far is what there is.
    """
    async with db.tx() as tx:
        await tx.maybe(queries.REFRESH, all=anew)
    async with db.read() as tx:
        found = await tx.maybe(queries.PROGRESS)
    return found.done_until if found else datetime.fromtimestamp(0, UTC)


async def prove(db: Database, limit: int = 20) -> list[Difference]:
    """Where the states that are kept are not those that the history gives: nowhere, or there is a fault.

    What comes while this compares looks like a difference once, and not again.
    """
    wrong: list[Difference] = []
    for _ in range(3):
        await follow(db)
        async with db.read() as tx:
            wrong = await tx.all(queries.DIFFERENCES, limit=limit)
        if not wrong:
            break
    return wrong


async def cut_off(tx: Tx, *, seconds: float = 60) -> int:
    """End statements of the reporting role that run longer than they may, though they set their own limit aside; how many."""
    return await tx.one(queries.CUT_OFF, seconds=seconds)
