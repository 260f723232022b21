"""The reports there are: what each tells, by which statement, under which columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.reports import queries as queries_figures
from vetrina.reports.model import Churn, Movement, NoSuchReport

Unit = Literal["month", "week", "text", "currency", "count", "money", "share", "days"]
"""How a column is written: money is in minor units of the row's currency, a share is of 1."""


class Column(msgspec.Struct, frozen=True):
    """A column of a report; `about` says what exactly is counted."""

    name: str
    title: str
    unit: Unit
    about: str = ""


@dataclass(frozen=True)
class Report:
    """A report: `make` turns the statement's rows into the report's own, where they differ."""

    name: str
    title: str
    about: str
    columns: list[Column]
    statement: Statement[Any]
    months: int = 12
    ahead: bool = False
    """Whether `months` look ahead rather than back."""
    make: Callable[[Sequence[Any]], Sequence[Any]] | None = None


def churn_of(rows: Sequence[Movement]) -> list[Churn]:
    """The same months as losses."""

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    found: list[Churn] = []
    for row in rows:
        before = row.customers - row.customers_new - row.customers_back + row.customers_lost
        lost = -(row.churn + row.contraction)
        found.append(
            Churn(
                row.month, row.currency, before, row.customers_lost, share(row.customers_lost, before), row.opening, lost,
                share(lost, row.opening), share(row.opening - lost + row.expansion, row.opening),
            )
        )  # fmt: skip
    return found


_MONTH = Column("month", "Month", "month", "A calendar month in UTC; the last one only up to the date of the report.")
_CURRENCY = Column("currency", "Currency", "currency")

REPORTS: dict[str, Report] = {
    each.name: each
    for each in (
        Report(
            "mrr",
            "Recurring revenue",
            "What subscriptions bring a month, and what moved it. Active and past due ones count; a price by the year counts a "
            "twelfth. Metered use, tiers and discounts are known only from invoices and are not in it.",
            [
                _MONTH,
                _CURRENCY,
                Column("opening", "At the beginning", "money"),
                Column("new", "New", "money", "From customers who never paid before in this currency."),
                Column("expansion", "Expansion", "money", "Customers who pay more than at the beginning."),
                Column("contraction", "Contraction", "money", "Customers who pay less, but still pay."),
                Column("churn", "Churn", "money", "Customers who pay nothing any more."),
                Column("reactivation", "Reactivation", "money", "Customers who had paid once, then nothing, and pay again."),
                Column("closing", "At the end", "money"),
                Column("customers", "Customers", "count", "Who pay at the end."),
                Column("customers_new", "New customers", "count"),
                Column("customers_lost", "Lost customers", "count"),
                Column("customers_back", "Customers back", "count"),
            ],
            queries_figures.MOVEMENTS,
        ),
        Report(
            "churn",
            "Churn",
            "What was lost of each month's beginning: customers, and recurring revenue by customers who left or pay less.",
            [
                _MONTH,
                _CURRENCY,
                Column("customers_opening", "Customers at the beginning", "count"),
                Column("customers_lost", "Lost customers", "count"),
                Column("customer_churn", "Customer churn", "share"),
                Column("opening", "Revenue at the beginning", "money"),
                Column("lost", "Lost revenue", "money", "Churn and contraction together."),
                Column("revenue_churn", "Revenue churn", "share"),
                Column("net_retention", "Net retention", "share", "With what those who stayed pay more; over 100 % it grows."),
            ],
            queries_figures.MOVEMENTS,
            make=churn_of,
        ),
        Report(
            "retention",
            "Retention",
            "Customers by the month in which they first paid, and how many of them still pay in each month after it.",
            [
                Column("cohort", "First paid in", "month"),
                _CURRENCY,
                Column("age", "Months later", "count"),
                Column("size", "Customers then", "count"),
                Column("customers", "Customers now", "count"),
                Column("customer_retention", "Customers kept", "share"),
                Column("opening", "Revenue then", "money"),
                Column("monthly", "Revenue now", "money"),
                Column("revenue_retention", "Revenue kept", "share"),
            ],
            queries_figures.COHORTS,
        ),
        Report(
            "subscriptions",
            "Subscriptions",
            "Subscriptions that have not ended, by product and status. One of several products counts with its first.",
            [
                Column("product", "Product", "text"),
                Column("product_id", "Product's id", "text"),
                Column("status", "Status", "text"),
                _CURRENCY,
                Column("subscriptions", "Subscriptions", "count"),
                Column("monthly", "A month", "money"),
            ],
            queries_figures.STANDINGS,
        ),
        Report(
            "revenue",
            "Revenue",
            "Money by month: invoices paid, and charges with what went back of them. A charge that pays an invoice is in both.",
            [
                _MONTH,
                _CURRENCY,
                Column("invoices", "Invoices paid", "count"),
                Column("invoiced", "Paid on invoices", "money", "By the day of payment, also what was paid outside Stripe."),
                Column("charges", "Charges", "count"),
                Column("charged", "Charged", "money", "Charges that succeeded and were captured."),
                Column("refunded", "Refunded", "money", "By the day of the refund."),
                Column("disputed", "Lost in disputes", "money"),
                Column("net", "Charged less what went back", "money"),
            ],
            queries_figures.REVENUE,
        ),
        Report(
            "failures",
            "Failed payments",
            "Invoices whose payment failed, by the month of the first failure, and what became of them.",
            [
                _MONTH,
                _CURRENCY,
                Column("invoices", "Invoices", "count"),
                Column("amount", "Amount", "money"),
                Column("recovered", "Paid later", "count"),
                Column("recovered_amount", "Amount paid later", "money"),
                Column("lost", "Given up", "count", "Uncollectible or void."),
                Column("open", "Still open", "count"),
                Column("open_amount", "Amount still open", "money"),
                Column("recovery", "Recovered", "share"),
                Column("median_days", "Days until paid", "days", "The median."),
            ],
            queries_figures.FAILURES,
        ),
        Report(
            "renewals",
            "Renewals ahead",
            "Subscriptions whose period ends soon, by week: what their renewal brings, and what ends instead.",
            [
                Column("week", "Week of", "week", "Its Monday."),
                _CURRENCY,
                Column("renewing", "Renewing", "count"),
                Column("amount", "Brings", "money"),
                Column("ending", "Ending", "count", "Set to be canceled by then."),
                Column("ending_amount", "Ends", "money"),
            ],
            queries_figures.RENEWALS,
            months=2,
            ahead=True,
        ),
    )
}


def named(name: str) -> Report:
    """Raises NoSuchReport (404)."""
    if name not in REPORTS:
        raise NoSuchReport(f"There is no report {name}. There are: {', '.join(REPORTS)}.")
    return REPORTS[name]
