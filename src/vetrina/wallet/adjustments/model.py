"""Adjustments: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal
from vetrina.wallet.model import Asset

MOST = 1_000_000
REASON_LENGTH = 400


class Adjustment(msgspec.Struct, frozen=True):
    """Credits given (`quantity` above zero) or taken (below zero) by an operator; `author_id` is null for the command line."""

    id: UUID
    asset: str
    quantity: int
    reason: str | None
    author_id: UUID | None
    created_at: datetime


class NewAdjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Credits to give (`quantity` above zero) or to take (below zero). `id`, if sent, makes a repetition take effect once."""

    quantity: Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
    reason: str
    asset: Asset = Asset.TOKEN
    id: UUID | None = None


class Position(msgspec.Struct, frozen=True):
    """What an operator sees of a wallet: the balance of one asset, what is held, and whether a dispute froze it."""

    asset: str
    balance: int
    held: int
    frozen: bool


class AdjustmentQuantity(Refusal):
    """Enter a whole number from 1 to 1,000,000."""

    status = 422
    constraint = "adjustment_quantity_not_zero"
    field = "quantity"


class AdjustmentReasonLength(Refusal):
    """Give a reason of up to 400 characters: the owner reads it, and the audit log keeps it."""

    status = 422
    constraint = "adjustment_reason_length"
    field = "reason"


class AdjustmentTooLarge(Refusal):
    """The account has fewer credits than that."""

    status = 409
    field = "quantity"


class AdjustmentIdReused(Refusal):
    """Another adjustment has this id."""

    status = 409


class AccountErased(Refusal):
    """This account is erased."""

    status = 409
