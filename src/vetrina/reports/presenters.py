"""A report as a page shows it: for each currency its pictures and the table beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from vetrina.reports import charts
from vetrina.reports import formatting as tell
from vetrina.reports.actions import Figures
from vetrina.reports.charts import Series
from vetrina.web import formatting as words

Rows = Sequence[dict[str, Any]]
PRODUCTS = 12
"""Products that a picture shows; the table has all."""
STATUSES = ("active", "past_due", "trialing", "unpaid", "paused", "incomplete")


def parts(figures: Figures) -> list[dict[str, Any]]:
    """For each currency: its name, its pictures, its table; the currency with most rows first."""
    by: dict[str, list[dict[str, Any]]] = {}
    for row in figures.rows:
        by.setdefault(row["currency"], []).append(row)
    order = sorted(by, key=lambda name: (-len(by[name]), name))
    columns = [column for column in figures.columns if column.unit != "currency"]
    return [
        {
            "currency": name,
            "title": name.upper(),
            "charts": pictures(figures.name, by[name], name),
            "heat": heat(by[name]) if figures.name == "retention" else None,
            "columns": [{"title": each.title, "about": each.about, "end": each.unit not in tell.WORDS} for each in columns],
            "rows": [[tell.cell(row, column) for column in columns] for row in by[name]],
        }
        for name in order
    ]


def pictures(name: str, rows: Rows, currency: str) -> list[dict[str, Any]]:
    """The pictures of a report's rows, which are of one currency."""

    def money(value: float) -> str:
        return tell.money(round(value), currency)

    match name:
        case "mrr":
            return [recurring(rows, currency), _movements(rows, currency)]
        case "churn":
            return [_churn(rows)]
        case "subscriptions":
            return [_standings(rows)]
        case "revenue":
            series = [
                Series("Paid on invoices", _of(rows, "invoiced"), 1),
                Series("Charged", _of(rows, "charged"), 3),
                Series("Refunded or lost", [row["refunded"] + row["disputed"] for row in rows], 4),
            ]
            said = f"Money by month, {_span(rows, 'month')}: {money(sum(_of(rows, 'invoiced')))} paid on invoices."
            return [charts.columns(_titles(rows, "month"), series, money, label=said, stacked=False)]
        case "failures":
            gone = [row["amount"] - row["recovered_amount"] - row["open_amount"] for row in rows]
            series = [
                Series("Paid later", _of(rows, "recovered_amount"), 1),
                Series("Still open", _of(rows, "open_amount"), 2),
                Series("Given up", gone, 4),
            ]
            amount, back = sum(_of(rows, "amount")), sum(_of(rows, "recovered_amount"))
            said = f"Failed payments by month, {_span(rows, 'month')}: {money(amount)} failed, {money(back)} was paid later."
            return [charts.columns(_titles(rows, "month"), series, money, label=said)]
        case "renewals":
            series = [Series("Renewing", _of(rows, "amount"), 1), Series("Ending", _of(rows, "ending_amount"), 4)]
            amount, ends = sum(_of(rows, "amount")), sum(_of(rows, "ending_amount"))
            said = f"Renewals by week: {money(amount)} ahead, {money(ends)} ends."
            return [charts.columns([_day(row["week"]) for row in rows], series, money, label=said)]
        case _:
            return []


def recurring(rows: Rows, currency: str) -> dict[str, Any]:
    """Recurring revenue at the end of each month."""

    def money(value: float) -> str:
        return tell.money(round(value), currency)

    first, last = rows[0]["closing"], rows[-1]["closing"]
    said = f"Recurring revenue at the end of each month, {_span(rows, 'month')}: from {money(first)} to {money(last)}."
    return charts.columns(_titles(rows, "month"), [Series("Recurring revenue", _of(rows, "closing"), 1)], money, label=said)


def _movements(rows: Rows, currency: str) -> dict[str, Any]:
    def money(value: float) -> str:
        return tell.money(round(value), currency)

    series = [
        Series("New", _of(rows, "new"), 1),
        Series("Expansion", _of(rows, "expansion"), 3),
        Series("Reactivation", _of(rows, "reactivation"), 5),
        Series("Contraction", _of(rows, "contraction"), 2),
        Series("Churn", _of(rows, "churn"), 4),
    ]
    came = sum(sum(each.values) for each in series[:3])
    went = -sum(sum(each.values) for each in series[3:])
    said = f"What moved it, {_span(rows, 'month')}: {money(came)} came, {money(went)} went."
    return charts.columns(_titles(rows, "month"), series, money, label=said)


def _churn(rows: Rows) -> dict[str, Any]:
    def share(value: float) -> str:
        return f"{value:g} %"

    def points(name: str) -> list[float]:
        return [round((row[name] or 0) * 100, 1) for row in rows]

    series = [Series("Customers lost", points("customer_churn"), 1), Series("Revenue lost", points("revenue_churn"), 4)]
    said = f"Shares lost by month, {_span(rows, 'month')}."
    return charts.columns(_titles(rows, "month"), series, share, label=said, stacked=False)


def _standings(rows: Rows) -> dict[str, Any]:
    counted: dict[str, dict[str, int]] = {}
    for row in rows:
        counted.setdefault(row["product"], {})[row["status"]] = row["subscriptions"]
    order = sorted(counted, key=lambda name: (-sum(counted[name].values()), name))[:PRODUCTS]
    series = [
        Series(status.replace("_", " ").capitalize(), [counted[name].get(status, 0) for name in order], place + 1)
        for place, status in enumerate(STATUSES)
        if any(status in each for each in counted.values())
    ]
    total = sum(sum(each.values()) for each in counted.values())
    said = f"Subscriptions by product and status: {words.number(total)} in all."
    return charts.columns(order, series, lambda value: words.number(round(value, 1) if value % 1 else int(value)), label=said)


def heat(rows: Rows) -> dict[str, Any]:
    """A triangle of shares: a line for each cohort, a column for each month later."""
    cohorts: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        cohorts.setdefault(row["cohort"], []).append(row)
    widest = max(len(each) for each in cohorts.values())
    lines = [
        {
            "title": tell.month(cohort),
            "size": words.number(each[0]["size"]),
            "cells": [_cell(row["customer_retention"]) for row in each],
        }
        for cohort, each in cohorts.items()
    ]
    return {"ages": list(range(widest)), "lines": lines}


def _cell(share: float) -> dict[str, Any]:
    return {"said": f"{share * 100:.0f} %", "heat": round(share * 10)}


def _of(rows: Rows, name: str) -> list[int]:
    return [row[name] for row in rows]


def _titles(rows: Rows, name: str) -> list[str]:
    return [tell.month(row[name]) for row in rows]


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _span(rows: Rows, name: str) -> str:
    return f"{tell.month(rows[0][name])} to {tell.month(rows[-1][name])}"
