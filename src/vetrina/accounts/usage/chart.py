"""The usage page's figures: bars of days in at most six series, and the same as a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from vetrina.core.usage import UsageDay
from vetrina.web import charts
from vetrina.web import formatting as words
from vetrina.web.charts import SERIES
from vetrina.web.i18n import say

RANGES = [{"value": "7", "title": "7 days"}, {"value": "30", "title": "30 days"}, {"value": "90", "title": "90 days"}]


def first_day(days: int, now: datetime | None = None) -> datetime:
    """Midnight (UTC) at which a range of `days`, today among them, begins."""
    today = (now or datetime.now(UTC)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)


def context(counted: Sequence[UsageDay], *, titles: Mapping[str, str], action: str, since: datetime, days: int) -> dict[str, Any]:
    """Return the values of the usage template: the counts of the range, of one action or ("") of all."""

    def title(action: str) -> str:
        return say(titles.get(action, "")) or action.replace("_", " ").capitalize()

    actions = sorted({item.action for item in counted}, key=title)
    action = action if action in actions else ""
    by_action: Counter[str] = Counter()
    by_day: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    for item in counted:
        if not action or item.action == action:
            by_action[item.action] += item.count
            by_day[item.day.astimezone(UTC)][item.action] += item.count
    series = _series(by_action, title)
    calendar = [since + timedelta(days=n) for n in range(days)]
    values = [[sum(by_day[day][name] for name in names) for _, names in series] for day in calendar]
    rows = [
        {"title": words.day(day), "counts": counts, "total": sum(counts)}
        for day, counts in zip(calendar, values, strict=True)
        if any(counts)
    ]
    return {
        "chart": _chart(calendar, values, series) if rows else None,
        "actions": [{"value": name, "title": title(name)} for name in actions],
        "action": action,
        "ranges": RANGES,
        "days": str(days),
        "totals": [{"title": name, "count": sum(by_action[item] for item in names)} for name, names in series],
        "total": by_action.total(),
        "rows": rows[::-1],
    }


def _series(by_action: Counter[str], title: Callable[[str], str]) -> list[tuple[str, list[str]]]:
    order = sorted(by_action, key=lambda name: (-by_action[name], title(name)))
    if len(order) <= SERIES:
        return [(title(name), [name]) for name in order]
    return [*((title(name), [name]) for name in order[: SERIES - 1]), (say("Other"), order[SERIES - 1 :])]


def _chart(calendar: list[datetime], values: list[list[int]], series: list[tuple[str, list[str]]]) -> dict[str, Any]:
    totals = [sum(counts) for counts in values]
    most = max(totals)
    busiest = words.day(calendar[totals.index(most)])
    label = say(
        "Actions by day from {first} to {last}: {total} in all, most on {busiest} ({most}).",
        first=words.day(calendar[0]),
        last=words.day(calendar[-1]),
        total=words.number(sum(totals)),
        busiest=busiest,
        most=words.number(most),
    )
    parts = [charts.Series(name, [counts[n] for counts in values], n + 1) for n, (name, _) in enumerate(series)]
    return charts.columns([words.day(day) for day in calendar], parts, _count, label=label, smallest=1)


def _count(value: float) -> str:
    return words.number(round(value))
