"""Rows and refusals of reports, members and saved searches. Amounts are in minor units."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Invalid, NotFound

Kind = Literal["customers", "subscriptions"]
"""Whose metadata is searched: the customers' or the subscriptions'."""


class NoSuchReport(NotFound):
    """No report has this name."""


class InvalidDate(Invalid):
    """Enter a date such as 2026-03-31, between 2000 and 2200."""

    field = "as_of"


class InvalidFilter(Invalid):
    """The filter is not valid."""


class InvalidSearchName(Invalid):
    """A search needs a name of 1 to 80 characters."""

    constraint = "search_name_length"
    field = "name"


class MrrMovement(msgspec.Struct, frozen=True):
    """Monthly recurring revenue of one month in one currency. Losses are negative, so that a row adds up.

    `metered` is the part of the closing that is metered. `paused` is not in the closing, and `temporary` is not deducted
    from it. `customers` is the number of paying customers at the end. A customer is counted once, by their total at the
    start and at the end of the month.
    """

    month: date
    currency: str
    opening: int
    new: int
    expansion: int
    contraction: int
    churn: int
    reactivation: int
    closing: int
    metered: int
    paused: int
    temporary: int
    customers: int
    customers_new: int
    customers_lost: int
    customers_back: int


class Churn(msgspec.Struct, frozen=True):
    """Customers and revenue lost during a month. Shares are of the opening figure; null if that was zero."""

    month: date
    currency: str
    customers_opening: int
    customers_lost: int
    customer_churn: float | None
    opening: int
    lost: int
    revenue_churn: float | None
    net_retention: float | None


class SubscriptionCount(msgspec.Struct, frozen=True):
    """The number of subscriptions of one product in one status."""

    product: str
    product_id: str
    status: str
    currency: str
    subscriptions: int
    monthly: int
    metered: int
    paused: int
    temporary: int


class Cohort(msgspec.Struct, frozen=True):
    """The customers who first paid in `cohort`, and what remains of them `age` months later."""

    cohort: date
    currency: str
    age: int
    size: int
    customers: int
    customer_retention: float
    opening: int
    monthly: int
    revenue_retention: float | None


class Revenue(msgspec.Struct, frozen=True):
    """Money of one month: invoices by date of payment; charges, refunds and lost disputes by their own date."""

    month: date
    currency: str
    invoices: int
    invoiced: int
    charges: int
    charged: int
    refunded: int
    disputed: int
    net: int


class Failure(msgspec.Struct, frozen=True):
    """Invoices whose payment first failed in this month, with the outcome."""

    month: date
    currency: str
    invoices: int
    amount: int
    recovered: int
    recovered_amount: int
    lost: int
    open: int
    open_amount: int
    recovery: float | None
    median_days: float | None


class Renewal(msgspec.Struct, frozen=True):
    """Subscriptions whose period ends in the week that begins with `week` (a Monday)."""

    week: date
    currency: str
    renewing: int
    amount: int
    ending: int
    ending_amount: int


class Member(msgspec.Struct, frozen=True):
    """A Stripe customer."""

    id: str
    email: str | None
    name: str | None
    phone: str | None
    created_at: datetime | None
    metadata: dict[str, Any]
    subscriptions: int
    monthly: dict[str, int]
    """Monthly revenue of the active and past due subscriptions, by currency."""


class MemberSubscription(msgspec.Struct, frozen=True):
    """A subscription with its customer."""

    id: str
    customer_id: str | None
    email: str | None
    name: str | None
    product: str | None
    status: str | None
    currency: str | None
    monthly: int
    current_period_end: datetime | None
    created_at: datetime | None
    metadata: dict[str, Any]


class MemberInvoice(msgspec.Struct, frozen=True):
    """An invoice on the page of its customer."""

    id: str
    number: str | None
    status: str | None
    currency: str | None
    total: int | None
    created_at: datetime | None
    hosted_invoice_url: str | None


class MemberDetail(msgspec.Struct, frozen=True):
    """A customer in detail, including a deleted one."""

    id: str
    email: str | None
    name: str | None
    phone: str | None
    address: dict[str, Any] | None
    currency: str | None
    balance: int | None
    delinquent: bool | None
    metadata: dict[str, Any]
    created_at: datetime | None
    deleted_at: datetime | None
    synced_at: datetime
    account_id: UUID | None


class Key(msgspec.Struct, frozen=True):
    """A metadata key, the number of objects that have it, and its most frequent values."""

    kind: str
    key: str
    holders: int
    distinct_values: int
    commonest: list[dict[str, Any]]


class Search(msgspec.Struct, frozen=True):
    """A saved search."""

    id: UUID
    name: str
    kind: str
    filters: dict[str, Any]
    created_at: datetime


class Filters(msgspec.Struct, frozen=True):
    """Filters of a search, all of which must match. `subscription` must match one subscription as a whole."""

    q: str = ""
    metadata: dict[str, str] = {}
    subscription: dict[str, str] = {}

    @property
    def empty(self) -> bool:
        """Return whether there is no filter."""
        return not (self.q or self.metadata or self.subscription)


class Difference(msgspec.Struct, frozen=True):
    """A difference between the stored states or movements and those computed from the history.

    `kept` is true if the row is stored but not computed, false if it is computed but not stored.
    """

    id: str
    since: datetime
    kept: bool
    what: str
    amount: int


class Progress(msgspec.Struct, frozen=True):
    """The time up to which the derived states include the mirror's history."""

    done_until: datetime
    seconds: float
