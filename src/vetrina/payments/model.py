"""Payments: states, rows, what gateways say, refusals."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal
from vetrina.web import formatting as words

_NOUNS = {
    "token": ("{n} token", "{n} tokens"),
    "conversion": ("{n} conversion", "{n} conversions"),
    "image_slot": ("{n} upload", "{n} uploads"),
    "contact": ("{n} contact", "{n} contacts"),
    "posting": ("{n} posting", "{n} postings"),
}


PaymentKind = Literal["tokens", "contacts", "posting", "plan", "order"]
"""What a payment buys."""


class Status(StrEnum):
    """Where a payment stands; the database knows which way each may go."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class Said(StrEnum):
    """What a gateway says of a payment."""

    WAITING = "waiting"
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Word(msgspec.Struct, frozen=True):
    """A gateway's word: `reference` and `card_mask` for one that was paid, `reason` (a sentence) for one that was not."""

    said: Said
    reference: str | None = None
    card_mask: str | None = None
    reason: str | None = None


class Checkout(msgspec.Struct, frozen=True):
    """A checkout that a gateway opened: its own name for the payment, and where the buyer pays (an address, or a
    path of ours)."""

    ref: str
    url: str


class Returned(msgspec.Struct, frozen=True):
    """What a gateway made of a refund: its own name for it, and pending, requires_action, succeeded or failed (with `error`)."""

    ref: str
    status: str
    error: str | None = None


class PaymentRow(msgspec.Struct, frozen=True):
    """A payment; `amount`, what was `refunded` and what is held back as `disputed` in minor units of `currency`.

    The gateway sends the buyer back to `callback_url`, the page that waits for the payment; `return_url` is the path of ours
    to go on to from there."""

    account_id: UUID
    id: UUID
    kind: PaymentKind
    status: str
    gateway: str
    pack_id: UUID | None
    plan_id: UUID | None
    asset: str | None
    quantity: int | None
    amount: int
    currency: str
    description: str
    checkout_url: str | None
    callback_url: str | None
    return_url: str | None
    reference: str | None
    card_mask: str | None
    failure_reason: str | None
    paid_at: datetime | None
    expires_at: datetime
    created_at: datetime
    refunded: int
    disputed: int
    receipt_number: int | None


RefundStatus = Literal["asked", "pending", "requires_action", "succeeded", "failed", "canceled"]
"""The state of a refund: `asked` is ours until the gateway has taken it, the others are Stripe's."""


class RefundRow(msgspec.Struct, frozen=True):
    """A refund; `ref` is missing until the gateway has taken it."""

    id: UUID
    payment_id: UUID
    ref: str | None
    amount: int
    status: RefundStatus
    reason: str | None
    error: str | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says. Sums are in minor units of `currency`; `refunds` are (when, how much)."""

    number: str
    paid_at: datetime
    seller_name: str
    seller_lines: list[str]
    tax_number: str | None
    buyer: str | None
    description: str
    asset: str | None
    quantity: int | None
    amount: int
    currency: str
    gateway: str
    card_mask: str | None
    reference: str | None
    refunds: list[tuple[datetime, int]]
    disputed: int

    @property
    def remains(self) -> int:
        """What was paid and has not gone back."""
        return self.amount - sum(amount for _, amount in self.refunds) - self.disputed


class ReceiptRow(msgspec.Struct, frozen=True):
    """What a receipt is made from, beside its payment: the buyer, the seller, what went back."""

    email: str | None
    phone: str | None
    name: str | None
    seller_name: str
    seller_address: str
    seller_tax_number: str
    refunds: list[dict[str, Any]]


class Who(msgspec.Struct, frozen=True):
    """What Stripe is told about an account, and its customer if there is one."""

    email: str | None
    name: str | None
    ref: str | None


class Due(msgspec.Struct, frozen=True):
    """A payment whose time has run out; `ref` is missing when its checkout was never opened."""

    account_id: UUID
    id: UUID
    gateway: str
    ref: str | None
    expires_at: datetime


class Doubt(msgspec.Struct, frozen=True):
    """A payment of which the gateway may know more than we do; `ref` is the gateway's name for it."""

    account_id: UUID
    id: UUID
    ref: str


class Payment(msgspec.Struct):
    """A payment as programs see it. `checkout_url` is where it can be paid, while it can."""

    id: UUID
    status: str
    kind: str
    gateway: str
    pack_id: UUID | None
    plan_id: UUID | None
    asset: str | None
    quantity: int | None
    amount: int
    currency: str
    description: str
    checkout_url: str | None
    reference: str | None
    card_mask: str | None
    failure_reason: str | None
    paid_at: datetime | None
    expires_at: datetime
    created_at: datetime
    refunded: int = 0


def goods(asset: str, quantity: int) -> str:
    """What is bought, in words: 200 tokens."""
    return words.count(*_NOUNS[asset], quantity)


class UnknownPack(Refusal):
    """This pack is not for sale."""

    status = 422
    field = "pack_id"


class GatewayNotOffered(Refusal):
    """This way to pay is not offered here."""

    status = 422
    field = "gateway"


class NoGateway(Refusal):
    """There is no way to pay here: whoever runs this site has not set one up."""

    status = 503


class GatewayFailed(Refusal):
    """The payment service does not answer just now. Nothing was charged. Please try again in a moment."""

    status = 503


class NotRefundable(Refusal):
    """The payment service does not pay this back."""

    status = 409


class TooMuchBack(Refusal):
    """No more can be paid back than was paid and has not gone back yet."""

    status = 409
    constraint = "refund_within_payment"
    field = "amount"


class NotPaid(Refusal):
    """There is a receipt once this is paid."""

    status = 404


class CheckoutTooLate(Refusal):
    """The payment ended before its checkout was open."""

    status = 409
