"""The figures on the operators' front page: today, this week and this month, each against the same part of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from vetrina.accounts.operator import queries
from vetrina.core.database.connection import Tx
from vetrina.core.module import Figure, Modules
from vetrina.web import charts
from vetrina.web import formatting as words
from vetrina.web.i18n import N_, say

DAYS = 30
PERIODS = (("today", N_("Today")), ("week", N_("This week")), ("month", N_("This month")))


async def load(tx: Tx, modules: Modules, now: datetime) -> list[Figure]:
    """Return the modules' figures since the start of last month, one statement a module."""
    since = starts(now)["month"][1]
    return [figure for function in modules.figures for figure in await function(tx, min(since, now - timedelta(days=DAYS + 1)))]


async def figures(tx: Tx, since: datetime) -> list[Figure]:
    """Return sign-ups and storage."""
    rows = await tx.fetch_all(queries.SIGN_UPS, since=since)
    stored = await tx.fetch_one(queries.STORED_BYTES)
    return [
        Figure(
            "sign_ups",
            say("Sign-ups"),
            say("Accounts by the time they were registered, erased ones too."),
            "/operator/accounts",
            hours={row.hour: row.value for row in rows},
            chart=True,
        ),
        Figure("storage", say("Storage"), say("Bytes of files and exports that accounts store."), unit="bytes", now=stored),
    ]


def starts(now: datetime) -> dict[str, tuple[datetime, datetime]]:
    """Return the start of each period in UTC and of the one before. Weeks start on Monday."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week, month = day - timedelta(days=day.weekday()), day.replace(day=1)
    return {
        "today": (day, day - timedelta(days=1)),
        "week": (week, week - timedelta(days=7)),
        "month": (month, (month - timedelta(days=1)).replace(day=1)),
    }


def compare(hours: Mapping[datetime, int], now: datetime) -> dict[str, tuple[int, int]]:
    """Return each period's sum up to the hour of `now`, and the sum of the same part of the period before.

    The part of the month before ends with that month where it was shorter.
    """
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    result: dict[str, tuple[int, int]] = {}
    for name, (start, before) in starts(now).items():
        until = min(before + (end - start), start)
        result[name] = (_sum(hours, start, end), _sum(hours, before, until))
    return result


def days(hours: Mapping[datetime, int], now: datetime) -> list[tuple[datetime, int]]:
    """Return the sums of the last 30 days, today last."""
    today = starts(now)["today"][0]
    begins = [today - timedelta(days=n) for n in range(DAYS - 1, -1, -1)]
    return [(day, _sum(hours, day, day + timedelta(days=1))) for day in begins]


def present(figure: Figure, now: datetime) -> dict[str, Any]:
    """Return what the page shows of a figure: text for each period, and a chart of the last 30 days with its table."""

    def write(value: float) -> str:
        if figure.unit == "bytes":
            return words.filesize(int(value))
        return words.money(int(value), figure.unit) if figure.unit else words.number(int(value))

    card: dict[str, Any] = {
        "figure": figure,
        "now": None if figure.now is None else write(figure.now),
        "periods": [],
        "chart": None,
    }
    if figure.now is not None:
        return card
    totals = compare(figure.hours, now)
    card["periods"] = [
        {"title": say(title), "value": write(totals[name][0]), "before": write(totals[name][1]), "change": _change(*totals[name])}
        for name, title in PERIODS
    ]
    if figure.chart:
        daily = days(figure.hours, now)
        titles = [words.day(day) for day, _ in daily]
        series = [charts.Series(figure.title, [value for _, value in daily], 1)]
        label = say("{figure} by day, the last 30 days", figure=figure.title)
        card["chart"] = charts.columns(titles, series, write, label=label, smallest=1)
        card["rows"] = [(words.day(day), write(value)) for day, value in reversed(daily) if value]
    return card


def utc_now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def _change(value: int, before: int) -> str:
    """Return the change in per cent with its sign; empty without a value to compare with."""
    return f"{(value - before) / before:+.0%}" if before else ""


def _sum(hours: Mapping[datetime, int], start: datetime, end: datetime) -> int:
    return sum(value for hour, value in hours.items() if start <= hour < end)
