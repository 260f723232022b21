"""Rows of the reports, of members and of searches that people keep; their refusals. Amounts are in minor units."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Invalid, NotFound

Kind = Literal["customers", "subscriptions"]
"""Whose metadata is searched: a customer's or a subscription's own."""


class NoSuchReport(NotFound):
    """There is no report of that name."""


class BadDate(Invalid):
    """A date is written as 2026-03-31 and lies between 2000 and 2200."""

    field = "as_of"


class BadFilter(Invalid):
    """This filter cannot be used."""


class BadSearchName(Invalid):
    """A search has a name of 1 to 80 characters."""

    constraint = "search_name_length"
    field = "name"


class Movement(msgspec.Struct, frozen=True):
    """Monthly recurring revenue of one month in one currency. What was lost is negative, so that a row adds up.

    `customers` counts those who pay at the end. A customer is counted by the whole of what they pay, at the beginning
    against the end of the month.
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
    customers: int
    customers_new: int
    customers_lost: int
    customers_back: int


class Churn(msgspec.Struct, frozen=True):
    """What of a month's beginning was lost by its end. Shares are of the opening figure; null when that was nothing."""

    month: date
    currency: str
    customers_opening: int
    customers_lost: int
    customer_churn: float | None
    opening: int
    lost: int
    revenue_churn: float | None
    net_retention: float | None


class Standing(msgspec.Struct, frozen=True):
    """Subscriptions of one product in one status."""

    product: str
    product_id: str
    status: str
    currency: str
    subscriptions: int
    monthly: int


class Cohort(msgspec.Struct, frozen=True):
    """What remains, `age` months later, of the customers who first paid in `cohort`."""

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
    """Money of one month: invoices by the day of payment; charges, refunds and lost disputes by their own day."""

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
    """Invoices whose payment first failed in this month, and what became of them."""

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
    """A customer of Stripe's."""

    id: str
    email: str | None
    name: str | None
    phone: str | None
    created_at: datetime | None
    metadata: dict[str, Any]
    subscriptions: int
    monthly: dict[str, int]
    """By currency: what the active and past due subscriptions bring a month."""


class MemberSubscription(msgspec.Struct, frozen=True):
    """A subscription with the customer whose it is."""

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
    """An invoice as the page of its customer shows it."""

    id: str
    number: str | None
    status: str | None
    currency: str | None
    total: int | None
    created_at: datetime | None
    hosted_invoice_url: str | None


class Found(msgspec.Struct, frozen=True):
    """One customer, whether there or deleted."""

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


class Value(msgspec.Struct, frozen=True):
    """How many have this value."""

    value: str
    count: int


class Key(msgspec.Struct, frozen=True):
    """A key that exists in metadata, how many have it, and its commonest values."""

    kind: str
    key: str
    holders: int
    distinct_values: int
    commonest: list[dict[str, Any]]


class Search(msgspec.Struct, frozen=True):
    """A search that somebody keeps."""

    id: UUID
    name: str
    kind: str
    filters: dict[str, Any]
    created_at: datetime


class Filters(msgspec.Struct, frozen=True):
    """What is looked for: everything named must fit. `subscription` asks for one subscription that has all of these."""

    q: str = ""
    metadata: dict[str, str] = {}
    subscription: dict[str, str] = {}

    @property
    def empty(self) -> bool:
        """Whether everything fits."""
        return not (self.q or self.metadata or self.subscription)


class Difference(msgspec.Struct, frozen=True):
    """A subscription's state, or a customer's movement, that is kept and does not follow, or follows and is not kept."""

    id: str
    since: datetime
    kept: bool
    what: str
    amount: int


class Progress(msgspec.Struct, frozen=True):
    """How far the derived states have followed the mirror."""

    done_until: datetime
    seconds: float
