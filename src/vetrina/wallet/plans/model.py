"""Plans: rows and errors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal
from vetrina.wallet.model import InsufficientCredits


class Plan(msgspec.Struct, frozen=True):
    """A monthly plan; `price_per_month` in minor units of `currency`, `prices` by currency."""

    id: UUID
    name: str
    kind: str
    display_name: str
    description: str | None
    price_per_month: int
    currency: str
    monthly_tokens: int
    monthly_conversions_limit: int
    monthly_images_limit: int
    features: list[str]
    prices: dict[str, int]


class Membership(msgspec.Struct, frozen=True):
    """An account's plan.

    `state` is active, or grace: the period is over, the next one is not paid, and the remaining credits can be used until
    `grace_until`. `next_plan` starts at the period's end, also after a cancellation.

    `paid_until` is the end of the periods paid ahead; `renewed_by` the gateway that renews the plan.
    """

    plan: str
    plan_title: str
    kind: str
    state: str
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool
    next_plan: str | None
    grace_until: datetime | None
    paid_until: datetime | None
    renewed_by: str | None


class Quota(msgspec.Struct, frozen=True):
    """A plan's allowance of one asset in this period: `used` of `limit`.

    `remaining` is what can be spent now, from any source (allowance, gift, pack, grace). The allowance resets at
    `resets_at`.
    """

    asset: str
    limit: int
    used: int
    remaining: int
    held: int
    plan: str
    resets_at: datetime


class Offer(msgspec.Struct, frozen=True):
    """The price of one month of a plan for an account today, in minor units of the requested currency.

    It is `price` less `credit`, the remaining value of the period `credit_period`.

    `current`: it is the account's plan. `paid`: the account's plan was paid for. `renewal`: one more month of the same plan.
    `is_downgrade`: it costs no more than the account's plan. `paid_ahead`: the next month is paid already. `renewed_by`: the
    gateway that renews the account's plan.
    """

    plan_id: UUID
    name: str
    title: str
    kind: str
    price: int | None
    credit: int
    credit_period: UUID | None
    current: bool
    paid: bool
    renewal: bool
    is_downgrade: bool
    paid_ahead: bool
    account_kind: str
    renewed_by: str | None


class Overdue(msgspec.Struct, frozen=True):
    """The recipient of a reminder that a plan is unpaid, and the end of its grace period."""

    email: str | None
    phone: str | None
    plan: str
    until: datetime | None


class QuotaUsedUp(InsufficientCredits):
    """This month's allowance is used up."""


class UnknownPlan(Refusal):
    """There is no such plan."""

    status = 422
    field = "plan_id"


class PlanNotForYou(Refusal):
    """This plan is for the other kind of account."""

    status = 422
    field = "plan_id"


class PlanIsFree(Refusal):
    """This plan is free. Cancel your current plan to switch to it at the end of the period."""

    status = 422
    field = "plan_id"


class NotAnUpgrade(Refusal):
    """This plan is smaller than yours. Switch to it at the end of the period, so that you keep what you paid for."""

    status = 409
    field = "plan_id"


class NotADowngrade(Refusal):
    """This plan is not smaller than yours. Buy it, and it starts at once."""

    status = 409
    field = "plan_id"


class PaidAhead(Refusal):
    """The next month is already paid."""

    status = 409


class NoPaidPlan(Refusal):
    """You are on the free plan. There is nothing to cancel or change."""

    status = 409
