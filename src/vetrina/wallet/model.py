"""Wallet: assets, rows and errors."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal


class Asset(StrEnum):
    """What an account can hold and spend."""

    TOKEN = "token"  # noqa: S105  # a word, no secret
    CONVERSION = "conversion"
    IMAGE_SLOT = "image_slot"
    CONTACT = "contact"
    POSTING = "posting"


class Kind(StrEnum):
    """The kind of a ledger entry."""

    GRANT = "grant"
    HOLD = "hold"
    RELEASE = "release"
    EXPIRY = "expiry"
    REVOCATION = "revocation"
    ADJUSTMENT = "adjustment"


GrantSource = Literal["free", "plan", "purchase", "refund", "gift", "adjustment"]
"""Where granted credits come from."""


class Balance(msgspec.Struct, frozen=True):
    """An account's balance of one asset: `balance` can be spent, `held` is reserved by holds."""

    asset: str
    balance: int
    held: int
    lifetime_granted: int
    lifetime_used: int
    expiring_quantity: int | None
    expiring_at: datetime | None


class Entry(msgspec.Struct, frozen=True):
    """One line of the ledger; `balance_after` is the running balance of its asset.

    `subject` is what it was for: `generation:<id>`, `payment:<id>`, or the key of another grant; `style` the title of the
    generation's style; `reason` why credits were returned, given or taken.
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
    """A pack of credits for sale; `price` in minor units of `currency`."""

    id: UUID
    name: str
    title: str
    asset: str
    quantity: int
    price: int
    currency: str


class SoldPack(Pack, frozen=True, kw_only=True):
    """A pack as operators edit it: sorted by `position`, for sale while `is_active`."""

    position: int
    is_active: bool


class StoredKey(msgspec.Struct, frozen=True):
    """An account with a given e-mail address; a user and a vendor may share one."""

    id: UUID
    kind: str


class Grant(msgspec.Struct, frozen=True):
    """A grant with credits remaining: its source and its expiry."""

    asset: str
    source: str
    note: str | None
    quantity: int
    remaining: int
    expires_at: datetime | None


class Fault(msgspec.Struct, frozen=True):
    """A ledger inconsistency found by `vetrina verify`."""

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
    """One of your payments is disputed. Your credits are kept and can be spent again once the dispute is closed."""

    status = 423
    constraint = "wallet_not_frozen"


class HoldEnded(Refusal):
    """This hold has already ended."""

    status = 409
    constraint = "hold_ends_once"


class InvalidPack(Refusal):
    """The pack is not valid."""

    status = 422


class PackNameTaken(Refusal):
    """A pack with this name already exists."""

    status = 409
    constraint = "pack_name_taken"
    field = "name"


class InvalidPackQuantity(Refusal):
    """The quantity must be at least 1."""

    status = 422
    constraint = "pack_quantity_positive"
    field = "quantity"


class InvalidPackPrice(Refusal):
    """The price must be above zero, in the currency's minor units."""

    status = 422
    constraint = "pack_price_positive"
    field = "price"


class InvalidPackCurrency(Refusal):
    """A currency is an ISO 4217 code of three capital letters. Rials are IRR; toman (IRT) are refused."""

    status = 422
    constraint = "pack_currency_is_iso"
    field = "currency"
