"""Format figures for pages, the command line and CSV: money with currency, shares as percentages, month names."""

from __future__ import annotations

from datetime import date
from typing import Any

from vetrina.core.web import csv
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import Column
from vetrina.web import formatting as text
from vetrina.web import i18n
from vetrina.web.money import format_stripe_amount

LEFT_ALIGNED = {"month", "week", "text", "currency"}
"""Units of left-aligned columns; other columns are right-aligned."""
EMPTY = "–"


def cell(row: dict[str, Any], column: Column) -> str:
    """Format one value of a row."""
    value = row[column.name]
    if value is None:
        return EMPTY
    match column.unit:
        case "money":
            return money(value, row["currency"])
        case "month":
            return month(value)
        case "week":
            return f"{value.day} {value:%b %Y}"
        case "share":
            return share(value)
        case "days":
            return f"{value:.1f}"
        case "currency":
            return str(value).upper()
        case "count":
            return text.number(value)
        case _:
            return str(value)


def money(minor: int, currency: str) -> str:
    """Format an amount in Stripe's minor units with its currency: €1,204.00."""
    return format_stripe_amount(minor, currency)


def month(day: date) -> str:
    """Format a month: Mar 2026."""
    return i18n.month(day)


def share(value: float) -> str:
    """Format a fraction as a percentage: 12.5 %."""
    return i18n.percent(value)


def to_csv(figures: Figures) -> list[list[str]]:
    """Return the rows for CSV, headed by the column names; amounts in minor units, shares as fractions of 1."""
    return [
        [column.name for column in figures.columns],
        *([_plain(row[column.name], column) for column in figures.columns] for row in figures.rows),
    ]


def _plain(value: Any, column: Column) -> str:
    if value is None:
        return ""
    return csv.harmless(str(value)) if column.unit == "text" else str(value)
