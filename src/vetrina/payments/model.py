"""Payments: states, rows, gateway results and errors."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal

PaymentKind = Literal["tokens", "contacts", "posting", "plan", "order"]
"""What a payment buys."""


class Status(StrEnum):
    """The status of a payment; the database enforces the legal transitions."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class GatewayStatus(StrEnum):
    """The status that a gateway reports."""

    WAITING = "waiting"
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class GatewayResult(msgspec.Struct, frozen=True):
    """A gateway's result: `reference` and `card_mask` of a paid payment, `reason` (a sentence) of one that was not paid."""

    said: GatewayStatus
    reference: str | None = None
    card_mask: str | None = None
    reason: str | None = None


class Checkout(msgspec.Struct, frozen=True):
    """An opened checkout: the gateway's reference, and the address (or local path) where the buyer pays."""

    ref: str
    url: str


class RefundResult(msgspec.Struct, frozen=True):
    """A gateway's refund: its reference, and pending, requires_action, succeeded or failed (with `error`)."""

    ref: str
    status: str
    error: str | None = None


class PaymentRow(msgspec.Struct, frozen=True):
    """A payment; `amount`, `refunded` and `disputed` in minor units of `currency`.

    The gateway redirects the buyer to `callback_url`, the payment's status page; `return_url` is the local path to
    continue to.
    """

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
"""The status of a refund: `asked` is ours until the gateway has accepted it, the others are Stripe's."""


class RefundRow(msgspec.Struct, frozen=True):
    """A refund; `ref` is missing until the gateway has accepted it."""

    id: UUID
    payment_id: UUID
    ref: str | None
    amount: int
    status: RefundStatus
    reason: str | None
    error: str | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of a receipt. Amounts in minor units of `currency`; `refunds` are (time, amount)."""

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
        """The amount paid and not refunded."""
        return self.amount - sum(amount for _, amount in self.refunds) - self.disputed


class ReceiptRow(msgspec.Struct, frozen=True):
    """The data of a receipt beside its payment: buyer, seller, refunds."""

    email: str | None
    phone: str | None
    name: str | None
    seller_name: str
    seller_address: str
    seller_tax_number: str
    seller_time_zone: str
    refunds: list[dict[str, Any]]


class CustomerInfo(msgspec.Struct, frozen=True):
    """The data of an account sent to Stripe, its customer id if it has paid before, and the customer linked to it."""

    email: str | None
    name: str | None
    ref: str | None
    linked: str | None


class ExpiredPayment(msgspec.Struct, frozen=True):
    """A payment whose time has run out; `ref` is missing if its checkout was never opened."""

    account_id: UUID
    id: UUID
    gateway: str
    ref: str | None
    expires_at: datetime


class UncertainPayment(msgspec.Struct, frozen=True):
    """A payment whose result at the gateway is uncertain; `ref` is the gateway's reference."""

    account_id: UUID
    id: UUID
    ref: str


class Payment(msgspec.Struct):
    """A payment in the API. `checkout_url` is where it can be paid, while it is pending."""

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


class UnknownPack(Refusal):
    """This pack is not for sale."""

    status = 422
    field = "pack_id"


class GatewayNotOffered(Refusal):
    """This payment method is not offered."""

    status = 422
    field = "gateway"


class NoGateway(Refusal):
    """No payment method is set up on this site."""

    status = 503


class GatewayFailed(Refusal):
    """The payment service does not answer. Nothing was charged. Please try again in a moment."""

    status = 503


class Surplus(msgspec.Struct, frozen=True):
    """A payment that no longer fitted the plan, with its buyer's confirmed identifiers; the amount in minor units."""

    email: str | None
    phone: str | None
    plan: str
    amount: int
    currency: str
    language: str | None
    """The one that the buyer has chosen."""


class NotRefundable(Refusal):
    """The payment service does not allow this refund."""

    status = 409


class RefundExceedsPayment(Refusal):
    """The refund exceeds the amount that was paid and not refunded yet."""

    status = 409
    constraint = "refund_within_payment"
    field = "amount"


class NotPaid(Refusal):
    """There is no receipt until the payment is completed."""

    status = 404


class CheckoutTooLate(Refusal):
    """The payment ended before its checkout opened."""

    status = 409
