"""Presenters of reports: charts and tables for each currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from vetrina.reports import formatting
from vetrina.reports.actions import Figures
from vetrina.web import charts
from vetrina.web import formatting as text
from vetrina.web.charts import Series
from vetrina.web.i18n import say

Rows = Sequence[dict[str, Any]]
PRODUCTS = 12
"""Products in the chart; the table has all of them."""
STATUSES = ("active", "past_due", "trialing", "unpaid", "paused", "incomplete")


def sections(figures: Figures) -> list[dict[str, Any]]:
    """Return a section for each currency (charts and table), the currency with the most rows first."""
    by_currency: dict[str, list[dict[str, Any]]] = {}
    for row in figures.rows:
        by_currency.setdefault(row["currency"], []).append(row)
    order = sorted(by_currency, key=lambda name: (-len(by_currency[name]), name))
    columns = [column for column in figures.columns if column.unit != "currency"]
    return [
        {
            "currency": name,
            "title": name.upper(),
            "charts": report_charts(figures.name, by_currency[name], name),
            "heatmap": heatmap(by_currency[name]) if figures.name == "retention" else None,
            "columns": [
                {"title": say(item.title), "about": say(item.about), "end": item.unit not in formatting.LEFT_ALIGNED}
                for item in columns
            ],
            "rows": [[formatting.cell(row, column) for column in columns] for row in by_currency[name]],
        }
        for name in order
    ]


def report_charts(name: str, rows: Rows, currency: str) -> list[dict[str, Any]]:
    """Return the charts of a report for rows of one currency."""

    def money(value: float) -> str:
        return formatting.money(round(value), currency)

    match name:
        case "mrr":
            return [recurring(rows, currency), _movements(rows, currency)]
        case "churn":
            return [_churn(rows)]
        case "subscriptions":
            return [_subscription_counts(rows)]
        case "revenue":
            series = [
                Series(say("Paid on invoices"), _values(rows, "invoiced"), 1),
                Series(say("Charged"), _values(rows, "charged"), 3),
                Series(say("Refunded or lost"), [row["refunded"] + row["disputed"] for row in rows], 4),
            ]
            label = say(
                "Money by month, {span}: {amount} paid on invoices.",
                span=_span(rows, "month"),
                amount=money(sum(_values(rows, "invoiced"))),
            )
            return [charts.columns(_titles(rows, "month"), series, money, label=label, stacked=False)]
        case "failures":
            lost = [row["amount"] - row["recovered_amount"] - row["open_amount"] for row in rows]
            series = [
                Series(say("Recovered"), _values(rows, "recovered_amount"), 1),
                Series(say("Open"), _values(rows, "open_amount"), 2),
                Series(say("Lost"), lost, 4),
            ]
            amount, recovered = sum(_values(rows, "amount")), sum(_values(rows, "recovered_amount"))
            label = say(
                "Failed payments by month, {span}: {amount} failed, {recovered} recovered.",
                span=_span(rows, "month"),
                amount=money(amount),
                recovered=money(recovered),
            )
            return [charts.columns(_titles(rows, "month"), series, money, label=label)]
        case "renewals":
            series = [
                Series(say("Renewing"), _values(rows, "amount"), 1),
                Series(say("Ending"), _values(rows, "ending_amount"), 4),
            ]
            amount, ending = sum(_values(rows, "amount")), sum(_values(rows, "ending_amount"))
            label = say("Renewals by week: {amount} renews, {ending} ends.", amount=money(amount), ending=money(ending))
            return [charts.columns([_day(row["week"]) for row in rows], series, money, label=label)]
        case _:
            return []


def recurring(rows: Rows, currency: str) -> dict[str, Any]:
    """Return the chart of recurring revenue at the end of each month."""

    def money(value: float) -> str:
        return formatting.money(round(value), currency)

    first, last = rows[0]["closing"], rows[-1]["closing"]
    label = say(
        "Recurring revenue at the end of each month, {span}: from {first} to {last}.",
        span=_span(rows, "month"),
        first=money(first),
        last=money(last),
    )
    return charts.columns(
        _titles(rows, "month"), [Series(say("Recurring revenue"), _values(rows, "closing"), 1)], money, label=label
    )


def _movements(rows: Rows, currency: str) -> dict[str, Any]:
    def money(value: float) -> str:
        return formatting.money(round(value), currency)

    series = [
        Series(say("New"), _values(rows, "new"), 1),
        Series(say("Expansion"), _values(rows, "expansion"), 3),
        Series(say("Reactivation"), _values(rows, "reactivation"), 5),
        Series(say("Contraction"), _values(rows, "contraction"), 2),
        Series(say("Churn"), _values(rows, "churn"), 4),
    ]
    gained = sum(sum(item.values) for item in series[:3])
    lost = -sum(sum(item.values) for item in series[3:])
    label = say(
        "Revenue movements, {span}: {gained} gained, {lost} lost.",
        span=_span(rows, "month"),
        gained=money(gained),
        lost=money(lost),
    )
    return charts.columns(_titles(rows, "month"), series, money, label=label)


def _churn(rows: Rows) -> dict[str, Any]:
    def share(value: float) -> str:
        return f"{value:g} %"

    def points(name: str) -> list[float]:
        return [round((row[name] or 0) * 100, 1) for row in rows]

    series = [Series(say("Customers lost"), points("customer_churn"), 1), Series(say("Revenue lost"), points("revenue_churn"), 4)]
    label = say("Churn rates by month, {span}.", span=_span(rows, "month"))
    return charts.columns(_titles(rows, "month"), series, share, label=label, stacked=False)


def _subscription_counts(rows: Rows) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["product"], {})[row["status"]] = row["subscriptions"]
    order = sorted(counts, key=lambda name: (-sum(counts[name].values()), name))[:PRODUCTS]
    series = [
        Series(say(status.replace("_", " ").capitalize()), [counts[name].get(status, 0) for name in order], position + 1)
        for position, status in enumerate(STATUSES)
        if any(status in item for item in counts.values())
    ]
    total = sum(sum(item.values()) for item in counts.values())
    label = say("Subscriptions by product and status: {total} in all.", total=text.number(total))
    return charts.columns(order, series, lambda value: text.number(round(value, 1) if value % 1 else int(value)), label=label)


def heatmap(rows: Rows) -> dict[str, Any]:
    """Return the retention heat map: a row for each cohort, a column for each month of age."""
    cohorts: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        cohorts.setdefault(row["cohort"], []).append(row)
    widest = max(len(item) for item in cohorts.values())
    lines = [
        {
            "title": formatting.month(cohort),
            "size": text.number(item[0]["size"]),
            "cells": [_heatmap_cell(row["customer_retention"]) for row in item],
        }
        for cohort, item in cohorts.items()
    ]
    return {"ages": list(range(widest)), "lines": lines}


def _heatmap_cell(share: float) -> dict[str, Any]:
    return {"label": f"{share * 100:.0f} %", "level": round(share * 10)}


def _values(rows: Rows, name: str) -> list[int]:
    return [row[name] for row in rows]


def _titles(rows: Rows, name: str) -> list[str]:
    return [formatting.month(row[name]) for row in rows]


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _span(rows: Rows, name: str) -> str:
    return say("{first} to {last}", first=formatting.month(rows[0][name]), last=formatting.month(rows[-1][name]))
