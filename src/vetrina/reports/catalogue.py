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
    counts: tuple[str, ...] = ()
    """What the figures include and leave out, a sentence or two each."""


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
_METERED = Column("metered", "Of it metered", "money", "The part that is metered use. Stripe's own figure leaves it out.")
_PAUSED = Column("paused", "Paused", "money", "What subscriptions with paused collection would bring. Not included.")
_TEMPORARY = Column("temporary", "Temporary discounts", "money", "What discounts that end take off at present. Not deducted.")
_RECURRING = (
    "Subscriptions count while they are active or past due, as in Stripe's own recurring revenue. Trials, unpaid and canceled "
    "subscriptions count nothing.",
    "Each price is spread over its interval: a yearly one counts one twelfth, a weekly one 365/84. Packages are rounded as "
    "the price says (25 units in packages of ten are three packages). The amount is that of the subscription's own currency.",
    "Tiers and metered use are taken from the last invoice that has the item, before discounts and without prorations; until "
    "there is one they count nothing. Stripe's own figure leaves metered use out; it is shown apart here.",
    "Discounts that last for ever are deducted, an item's before the subscription's. Discounts that end (once, repeating) are "
    "not deducted, which is how Stripe counts unless its settings say otherwise; what they take off is shown apart.",
    "A subscription whose collection is paused counts nothing from the pause until it resumes. Its status at Stripe stays "
    "active, so Stripe's own figure includes it; it is shown apart here.",
    "Tax, one-off items, prorations, credit balances and discounts of a customer as a whole are not included.",
)

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        Report(
            "mrr",
            "Recurring revenue",
            "Monthly revenue of active and past due subscriptions, and its movements.",
            [
                _MONTH,
                _CURRENCY,
                Column("opening", "Opening", "money"),
                Column("new", "New", "money", "From first-time customers in this currency."),
                Column("expansion", "Expansion", "money", "From customers who pay more than at the start."),
                Column("contraction", "Contraction", "money", "From customers who pay less, but still pay."),
                Column("churn", "Churn", "money", "From customers who no longer pay."),
                Column("reactivation", "Reactivation", "money", "From former customers who pay again."),
                Column("closing", "Closing", "money", "Recurring revenue at the end of the month."),
                _METERED,
                _PAUSED,
                _TEMPORARY,
                Column("customers", "Customers", "count", "Paying customers at the end."),
                Column("customers_new", "New customers", "count"),
                Column("customers_lost", "Lost customers", "count"),
                Column("customers_back", "Returning customers", "count"),
            ],
            queries.MOVEMENTS,
            counts=_RECURRING,
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
            counts=_RECURRING,
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
            counts=_RECURRING,
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
                Column("monthly", "Monthly", "money", "Recurring revenue of these subscriptions."),
                _METERED,
                _PAUSED,
                _TEMPORARY,
            ],
            queries.SUBSCRIPTION_COUNTS,
            counts=_RECURRING,
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
            counts=(
                "What the next invoice of each subscription brings by its prices, less the discounts that it still has then. "
                "Metered use and tiers are taken from the last invoice. Tax, prorations and one-off items are not included.",
                "Subscriptions whose collection is paused are not included.",
            ),
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
