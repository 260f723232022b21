"""Wallet: assets, rows, refusals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from vetrina.core.refusals import Refusal


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


class Plan(msgspec.Struct, frozen=True):
    """A monthly plan; `price_per_month` in minor units of `currency`."""

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
