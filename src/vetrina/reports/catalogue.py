"""The catalogue of reports: title, description, statement and columns of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.reports import queries
from vetrina.reports.model import Churn, MrrMovement, NoSuchReport

Unit = Literal["month", "week", "text", "currency", "count", "money", "share", "days"]
"""The unit of a column. "money" is in minor units of the row's currency, "share" is a fraction of 1."""


class Column(msgspec.Struct, frozen=True):
    """A column of a report; `about` defines what is counted."""

    name: str
    title: str
    unit: Unit
    about: str = ""


@dataclass(frozen=True)
class Report:
    """A report. `make` converts the statement's rows into the report's rows, where they differ."""

    name: str
    title: str
    about: str
    columns: list[Column]
    statement: Statement[Any]
    months: int = 12
    ahead: bool = False
    """Whether `months` counts forward from the date rather than back."""
    make: Callable[[Sequence[Any]], Sequence[Any]] | None = None


def churn_from_movements(rows: Sequence[MrrMovement]) -> list[Churn]:
    """Return the churn of each month from its revenue movements."""

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    months: list[Churn] = []
    for row in rows:
        before = row.customers - row.customers_new - row.customers_back + row.customers_lost
        lost = -(row.churn + row.contraction)
        months.append(
            Churn(
                row.month, row.currency, before, row.customers_lost, share(row.customers_lost, before), row.opening, lost,
                share(lost, row.opening), share(row.opening - lost + row.expansion, row.opening),
            )
        )  # fmt: skip
    return months


_MONTH = Column("month", "Month", "month", "A calendar month in UTC; the last one only up to the date of the report.")
_CURRENCY = Column("currency", "Currency", "currency")

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        Report(
            "mrr",
            "Recurring revenue",
            "Monthly revenue of active and past due subscriptions, and its movements. A yearly price counts one "
            "twelfth. Metered usage, tiers and discounts are not included.",
            [
                _MONTH,
                _CURRENCY,
                Column("opening", "Opening", "money"),
                Column("new", "New", "money", "From first-time customers in this currency."),
                Column("expansion", "Expansion", "money", "From customers who pay more than at the start."),
                Column("contraction", "Contraction", "money", "From customers who pay less, but still pay."),
                Column("churn", "Churn", "money", "From customers who no longer pay."),
                Column("reactivation", "Reactivation", "money", "From former customers who pay again."),
                Column("closing", "Closing", "money"),
                Column("customers", "Customers", "count", "Paying customers at the end."),
                Column("customers_new", "New customers", "count"),
                Column("customers_lost", "Lost customers", "count"),
                Column("customers_back", "Returning customers", "count"),
            ],
            queries.MOVEMENTS,
        ),
        Report(
            "churn",
            "Churn",
            "Customers and recurring revenue lost during each month, as a share of its opening figures.",
            [
                _MONTH,
                _CURRENCY,
                Column("customers_opening", "Opening customers", "count"),
                Column("customers_lost", "Lost customers", "count"),
                Column("customer_churn", "Customer churn", "share"),
                Column("opening", "Opening revenue", "money"),
                Column("lost", "Lost revenue", "money", "Churn and contraction."),
                Column("revenue_churn", "Revenue churn", "share"),
                Column("net_retention", "Net retention", "share", "Includes expansion; above 100 % revenue grows."),
            ],
            queries.MOVEMENTS,
            make=churn_from_movements,
        ),
        Report(
            "retention",
            "Retention",
            "Customers by month of first payment, and how many still pay in each later month.",
            [
                Column("cohort", "First paid in", "month"),
                _CURRENCY,
                Column("age", "Months later", "count"),
                Column("size", "Cohort size", "count"),
                Column("customers", "Remaining customers", "count"),
                Column("customer_retention", "Customer retention", "share"),
                Column("opening", "Opening revenue", "money"),
                Column("monthly", "Remaining revenue", "money"),
                Column("revenue_retention", "Revenue retention", "share"),
            ],
            queries.COHORTS,
        ),
        Report(
            "subscriptions",
            "Subscriptions",
            "Subscriptions that have not ended, by product and status. One with several products counts under the first.",
            [
                Column("product", "Product", "text"),
                Column("product_id", "Product id", "text"),
                Column("status", "Status", "text"),
                _CURRENCY,
                Column("subscriptions", "Subscriptions", "count"),
                Column("monthly", "Monthly", "money"),
            ],
            queries.SUBSCRIPTION_COUNTS,
        ),
        Report(
            "revenue",
            "Revenue",
            "Invoices paid, and charges less refunds and lost disputes, by month. A charge that pays an invoice is in both.",
            [
                _MONTH,
                _CURRENCY,
                Column("invoices", "Invoices paid", "count"),
                Column("invoiced", "Paid on invoices", "money", "By date of payment, including payments outside Stripe."),
                Column("charges", "Charges", "count"),
                Column("charged", "Charged", "money", "Charges that succeeded and were captured."),
                Column("refunded", "Refunded", "money", "By date of refund."),
                Column("disputed", "Lost in disputes", "money"),
                Column("net", "Net charges", "money"),
            ],
            queries.REVENUE,
        ),
        Report(
            "failures",
            "Failed payments",
            "Invoices whose payment failed, by month of the first failure, with the outcome.",
            [
                _MONTH,
                _CURRENCY,
                Column("invoices", "Invoices", "count"),
                Column("amount", "Amount", "money"),
                Column("recovered", "Recovered", "count"),
                Column("recovered_amount", "Amount recovered", "money"),
                Column("lost", "Lost", "count", "Uncollectible or void."),
                Column("open", "Open", "count"),
                Column("open_amount", "Amount open", "money"),
                Column("recovery", "Recovery rate", "share"),
                Column("median_days", "Median days to payment", "days"),
            ],
            queries.FAILURES,
        ),
        Report(
            "renewals",
            "Upcoming renewals",
            "Subscriptions whose period ends soon, by week: revenue that renews, and revenue that ends.",
            [
                Column("week", "Week of", "week", "The week's Monday."),
                _CURRENCY,
                Column("renewing", "Renewing", "count"),
                Column("amount", "Renewing revenue", "money"),
                Column("ending", "Ending", "count", "Set to cancel by then."),
                Column("ending_amount", "Ending revenue", "money"),
            ],
            queries.RENEWALS,
            months=2,
            ahead=True,
        ),
    )
}


def get_report(name: str) -> Report:
    """Return the report of that name. Raises NoSuchReport (404)."""
    if name not in REPORTS:
        raise NoSuchReport(f"There is no report {name}. Reports: {', '.join(REPORTS)}.")
    return REPORTS[name]
