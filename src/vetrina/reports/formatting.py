"""Figures as people read them: money in its currency, shares in per cent, months by name; and as a spreadsheet has them."""

from __future__ import annotations

from datetime import date
from typing import Any

from vetrina.core.web import csv as spreadsheet
from vetrina.reports.actions import Figures
from vetrina.reports.catalogue import Column
from vetrina.web import formatting as words
from vetrina.web import i18n
from vetrina.web.money import format_stripe_amount

WORDS = {"month", "week", "text", "currency"}
"""Units that stand at the beginning of a line; the others are figures and stand at its end."""
NONE = "–"


def cell(row: dict[str, Any], column: Column) -> str:
    """One figure in words."""
    value = row[column.name]
    if value is None:
        return NONE
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
            return words.number(value)
        case _:
            return str(value)


def money(minor: int, currency: str) -> str:
    """Return an amount as Stripe counts it with its currency: €1,204.00."""
    return format_stripe_amount(minor, currency)


def month(day: date) -> str:
    """Return the month: Mar 2026."""
    return i18n.month(day)


def share(value: float) -> str:
    """Return a share of 1: 12.5 %."""
    return i18n.percent(value)


def sheet(figures: Figures) -> list[list[str]]:
    """The rows under their names, amounts in minor units, shares of 1."""
    return [
        [column.name for column in figures.columns],
        *([_plain(row[column.name], column) for column in figures.columns] for row in figures.rows),
    ]


def _plain(value: Any, column: Column) -> str:
    if value is None:
        return ""
    return spreadsheet.harmless(str(value)) if column.unit == "text" else str(value)
