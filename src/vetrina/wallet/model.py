"""Wallet: assets, rows, refusals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal


class Asset(StrEnum):
    """What can be owned and spent."""

    TOKEN = "token"
    CONVERSION = "conversion"
    IMAGE_SLOT = "image_slot"
    CONTACT = "contact"
    POSTING = "posting"


class Kind(StrEnum):
    """Why an entry was made."""

    GRANT = "grant"
    HOLD = "hold"
    RELEASE = "release"
    EXPIRY = "expiry"
    REVOCATION = "revocation"


GrantSource = Literal["free", "plan", "purchase", "refund", "gift"]
"""Where granted credits come from."""


class Balance(msgspec.Struct, frozen=True):
    """What an account has of one asset: `balance` can be spent, `held` is set aside."""

    asset: str
    balance: int
    held: int
    lifetime_granted: int
    lifetime_used: int
    expiring_quantity: int | None
    expiring_at: datetime | None


class Entry(msgspec.Struct, frozen=True):
    """One line of the ledger; `balance_after` is the running balance of its asset.

    `subject` is what it was for: `generation:<id>`, `payment:<id>`, or the key of another grant; `style` the
    title of the generation's style; `reason` why credits came back.
    """

    id: UUID
    position: int
    asset: str
    kind: str
    quantity: int
    balance_after: int
    note: str | None
    source: str
    hold_id: UUID | None
    subject: str
    style: str | None
    reason: str | None
    created_at: datetime


class Pack(msgspec.Struct, frozen=True):
    """Credits that can be bought; `price` in minor units of `currency`."""

    id: UUID
    name: str
    title: str
    asset: str
    quantity: int
    price: int
    currency: str


class SoldPack(Pack, frozen=True, kw_only=True):
    """A pack as the operator keeps it: in order of `position`, for sale while it `is_active`."""

    position: int
    is_active: bool


class Known(msgspec.Struct, frozen=True):
    """An account of an e-mail address; a user and a vendor may share one."""

    id: UUID
    kind: str


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
    """Which plan an account is on. `state` is active, or grace: the period is over, the next one is not paid yet, and what
    was left can be used until `grace_until`. `next_plan` follows at the period's end, also after a cancellation.

    `paid_until` is the end of what is paid ahead; `renewed_by` the gateway that renews it by itself.
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
    """What a plan allows of one asset in this period: `used` of `limit`; `left` is what can be spent now, from anywhere
    (a gift, a pack, days of grace). All of it comes anew at `resets_at`."""

    asset: str
    limit: int
    used: int
    left: int
    held: int
    plan: str
    resets_at: datetime


class Offer(msgspec.Struct, frozen=True):
    """What one month of a plan costs an account today, in minor units of the currency that was asked for: `price` less
    `credit`, which is what the period `credit_period` is still worth.

    `current` is the plan that it is on, `paid` whether that one was paid for; `renewal` is one more month of what it has,
    `smaller` a plan that costs no more than its own; `ahead` says that the month after this one is paid, `renewed_by` names
    the gateway that pays by itself.
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
    smaller: bool
    ahead: bool
    account_kind: str
    renewed_by: str | None


class Overdue(msgspec.Struct, frozen=True):
    """Whom to tell that a plan was not paid on time, and until when it can be."""

    email: str | None
    phone: str | None
    plan: str
    until: datetime | None


class Grant(msgspec.Struct, frozen=True):
    """Credits that can still be spent: where they came from, how many are left, when they lapse."""

    asset: str
    source: str
    note: str | None
    quantity: int
    remaining: int
    expires_at: datetime | None


class Fault(msgspec.Struct, frozen=True):
    """Where the books do not agree."""

    check_name: str
    account_id: UUID
    row: str
    expected: int
    found: int


class InsufficientCredits(Refusal):
    """There are not enough credits for this."""

    status = 402
    constraint = "wallet_not_overdrawn"


class WalletFrozen(Refusal):
    """A payment of yours is disputed. What you have stays, and can be spent again once that is settled."""

    status = 423
    constraint = "wallet_not_frozen"


class HoldEnded(Refusal):
    """This hold was settled before."""

    status = 409
    constraint = "hold_ends_once"


class QuotaUsedUp(InsufficientCredits):
    """This month's allowance is used up."""


class UnknownPlan(Refusal):
    """There is no such plan here."""

    status = 422
    field = "plan_id"


class PlanNotForYou(Refusal):
    """This plan is for the other kind of account."""

    status = 422
    field = "plan_id"


class NotBought(Refusal):
    """This plan costs nothing: cancel the one that you have, and it follows."""

    status = 422
    field = "plan_id"


class PlanIsSmaller(Refusal):
    """This plan is smaller than yours: let it follow at the period's end, then nothing of what you paid is lost."""

    status = 409
    field = "plan_id"


class PlanIsNotSmaller(Refusal):
    """This plan is not smaller than yours: buy it, and it begins at once."""

    status = 409
    field = "plan_id"


class PaidAhead(Refusal):
    """The month after this one is paid already."""

    status = 409


class NoPaidPlan(Refusal):
    """You are on the free plan: there is nothing to cancel or change."""

    status = 409


class BadPack(Refusal):
    """A pack cannot be like this."""

    status = 422


class PackNameTaken(Refusal):
    """There is a pack of this name already."""

    status = 409
    constraint = "pack_name_taken"
    field = "name"


class BadPackQuantity(Refusal):
    """A pack holds at least one."""

    status = 422
    constraint = "pack_quantity_positive"
    field = "quantity"


class BadPackPrice(Refusal):
    """A price is above zero, in the currency's minor units."""

    status = 422
    constraint = "pack_price_positive"
    field = "price"


class BadPackCurrency(Refusal):
    """A currency is an ISO 4217 code of three capital letters. Rials are IRR; toman (IRT) are refused."""

    status = 422
    constraint = "pack_currency_is_iso"
    field = "currency"
