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
                {"title": item.title, "about": item.about, "end": item.unit not in formatting.LEFT_ALIGNED} for item in columns
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
                Series("Paid on invoices", _values(rows, "invoiced"), 1),
                Series("Charged", _values(rows, "charged"), 3),
                Series("Refunded or lost", [row["refunded"] + row["disputed"] for row in rows], 4),
            ]
            label = f"Money by month, {_span(rows, 'month')}: {money(sum(_values(rows, 'invoiced')))} paid on invoices."
            return [charts.columns(_titles(rows, "month"), series, money, label=label, stacked=False)]
        case "failures":
            lost = [row["amount"] - row["recovered_amount"] - row["open_amount"] for row in rows]
            series = [
                Series("Recovered", _values(rows, "recovered_amount"), 1),
                Series("Open", _values(rows, "open_amount"), 2),
                Series("Lost", lost, 4),
            ]
            amount, recovered = sum(_values(rows, "amount")), sum(_values(rows, "recovered_amount"))
            label = f"Failed payments by month, {_span(rows, 'month')}: {money(amount)} failed, {money(recovered)} recovered."
            return [charts.columns(_titles(rows, "month"), series, money, label=label)]
        case "renewals":
            series = [Series("Renewing", _values(rows, "amount"), 1), Series("Ending", _values(rows, "ending_amount"), 4)]
            amount, ending = sum(_values(rows, "amount")), sum(_values(rows, "ending_amount"))
            label = f"Renewals by week: {money(amount)} renews, {money(ending)} ends."
            return [charts.columns([_day(row["week"]) for row in rows], series, money, label=label)]
        case _:
            return []


def recurring(rows: Rows, currency: str) -> dict[str, Any]:
    """Return the chart of recurring revenue at the end of each month."""

    def money(value: float) -> str:
        return formatting.money(round(value), currency)

    first, last = rows[0]["closing"], rows[-1]["closing"]
    label = f"Recurring revenue at the end of each month, {_span(rows, 'month')}: from {money(first)} to {money(last)}."
    return charts.columns(_titles(rows, "month"), [Series("Recurring revenue", _values(rows, "closing"), 1)], money, label=label)


def _movements(rows: Rows, currency: str) -> dict[str, Any]:
    def money(value: float) -> str:
        return formatting.money(round(value), currency)

    series = [
        Series("New", _values(rows, "new"), 1),
        Series("Expansion", _values(rows, "expansion"), 3),
        Series("Reactivation", _values(rows, "reactivation"), 5),
        Series("Contraction", _values(rows, "contraction"), 2),
        Series("Churn", _values(rows, "churn"), 4),
    ]
    gained = sum(sum(item.values) for item in series[:3])
    lost = -sum(sum(item.values) for item in series[3:])
    label = f"Revenue movements, {_span(rows, 'month')}: {money(gained)} gained, {money(lost)} lost."
    return charts.columns(_titles(rows, "month"), series, money, label=label)


def _churn(rows: Rows) -> dict[str, Any]:
    def share(value: float) -> str:
        return f"{value:g} %"

    def points(name: str) -> list[float]:
        return [round((row[name] or 0) * 100, 1) for row in rows]

    series = [Series("Customers lost", points("customer_churn"), 1), Series("Revenue lost", points("revenue_churn"), 4)]
    label = f"Churn rates by month, {_span(rows, 'month')}."
    return charts.columns(_titles(rows, "month"), series, share, label=label, stacked=False)


def _subscription_counts(rows: Rows) -> dict[str, Any]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["product"], {})[row["status"]] = row["subscriptions"]
    order = sorted(counts, key=lambda name: (-sum(counts[name].values()), name))[:PRODUCTS]
    series = [
        Series(status.replace("_", " ").capitalize(), [counts[name].get(status, 0) for name in order], position + 1)
        for position, status in enumerate(STATUSES)
        if any(status in item for item in counts.values())
    ]
    total = sum(sum(item.values()) for item in counts.values())
    label = f"Subscriptions by product and status: {text.number(total)} in all."
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
    return f"{formatting.month(rows[0][name])} to {formatting.month(rows[-1][name])}"
