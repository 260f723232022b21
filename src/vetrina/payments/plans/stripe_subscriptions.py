"""Plans that Stripe renews: handlers of its invoice and subscription events.

Every paid invoice is one payment and one month of the plan, whatever the order of events; the month's dates are Stripe's.
The state of a subscription is never read from an event but fetched from Stripe.
"""

from __future__ import annotations

from typing import Any, cast

import structlog

from vetrina.clients.stripe.client import Stripe, StripeAway, StripeRefused
from vetrina.clients.stripe.subscriptions import Subscription
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, read_id
from vetrina.core.services import Services
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.model import GatewayFailed, GatewayResult, GatewayStatus
from vetrina.payments.plans import queries as queries_plans
from vetrina.payments.plans.invoice_periods import paid_month, within
from vetrina.payments.refunds import queries as queries_after
from vetrina.payments.settlement import actions
from vetrina.payments.webhooks.actions import Effect, Event, Impossible, on
from vetrina.web.money import BadAmount, UnknownCurrency, from_stripe

log = structlog.get_logger("vetrina.payments")

OVER = {"canceled", "unpaid", "incomplete_expired"}
"""States in which Stripe charges no more."""
PLAN = "vetrina_plan"
"""The metadata key of a subscription with the plan of a scheduled downgrade."""


@on("invoice.paid", "invoice.payment_succeeded")
async def invoice_paid(services: Services, event: Event) -> Effect | None:
    """Record a paid month.

    The first settles the payment that opened the subscription; each later one is a payment of its own.
    """
    invoice = event.object
    ref, marks = _subscription_of(invoice)
    first = await _first(services, marks)
    if first is None or ref is None:
        return None
    if invoice.get("billing_reason") == "subscription_create":
        return lambda tx: actions.record_result(tx, first, GatewayResult(GatewayStatus.PAID, reference=ref))
    month = paid_month(invoice)
    if month is None:
        log.info("an invoice of a subscription pays for no period", invoice=invoice["id"], reason=invoice.get("billing_reason"))
        return None
    amount = _minor(invoice.get("amount_paid") or 0, invoice["currency"])
    balance = max(0, _minor(month.value, invoice["currency"]) - amount)
    plan = read_id(marks.get(PLAN)) or first.plan_id
    if first.is_erased:
        log.warning("a renewal was paid for an erased account: refund it at Stripe", invoice=invoice["id"], payment=str(first.id))
        return lambda tx: tx.execute(
            queries_after.INSERT_FAILURE, account=first.account_id, id=first.id,
            ref=f"{invoice['id']}/erased",
            amount=_minor(amount, invoice["currency"]), currency=str(invoice["currency"]).upper(), code="account_erased",
            reason="Paid after the account was erased. Refund this invoice at Stripe.", at=event.at,
        )  # fmt: skip
    return lambda tx: tx.fetch_one(
        queries_plans.RENEW, account=first.account_id, first=first.id, plan=plan, invoice=invoice["id"], subscription=ref,
        amount=amount, credit=balance, currency=str(invoice["currency"]).upper(),
        starts_at=month.starts_at, ends_at=month.ends_at,
    )  # fmt: skip


@on("invoice.payment_failed")
async def invoice_failed(services: Services, event: Event) -> Effect | None:
    """Record a failed charge of a month, with its attempt. Stripe retries, and the grace period runs."""
    invoice = event.object
    _, marks = _subscription_of(invoice)
    first = await _first(services, marks)
    if first is None:
        return None
    currency = str(invoice.get("currency") or first.currency).upper()

    async def keep(tx: Tx) -> None:
        await tx.execute(
            queries_after.INSERT_FAILURE, account=first.account_id, id=first.id,
            ref=f"{invoice['id']}/{invoice.get('attempt_count') or 1}",
            amount=_minor(invoice["amount_due"], currency) if invoice.get("amount_due") else first.amount, currency=currency,
            code="invoice_payment_failed", reason="The card was not charged for the next month of the plan.", at=event.at,
        )  # fmt: skip

    return keep


@on("customer.subscription.updated", "customer.subscription.deleted", "customer.subscription.paused")
async def subscription_changed(services: Services, event: Event) -> Effect | None:
    """Record a change of a subscription, made here or at Stripe: whether it renews, and whether it has ended."""
    ref = str(event.object.get("id"))
    first = await _first(services, event.object.get("metadata"))
    if first is None:
        return None
    stands = await stands_at_stripe(services, ref)
    if stands is None or stands.status in OVER:
        return lambda tx: tx.fetch_one(queries_plans.END_RENEWALS, account=first.account_id, ref=ref)
    ends = stands.ends_with_period
    return lambda tx: tx.fetch_one(queries_plans.ENDS_LATER, account=first.account_id, ref=ref, ends=ends)


async def stands_at_stripe(services: Services, ref: str) -> Subscription | None:
    """Return the subscription as Stripe has it now; None if Stripe does not know it. Raises GatewayFailed (503)."""
    try:
        return await client(services).subscription(ref)
    except StripeAway as away:
        raise GatewayFailed(f"Stripe does not answer just now ({away}).") from away
    except StripeRefused as refused:
        log.info("stripe does not know a subscription", ref=ref, why=str(refused))
        return None


def client(services: Services) -> Stripe:
    """Return the Stripe gateway's client. Raises GatewayFailed (503) if Stripe is not set up."""
    gateway = services.get(Gateways).get(StripeGateway.name)
    if not isinstance(gateway, StripeGateway) or not gateway.available(services.settings):
        raise GatewayFailed("Stripe is not set up here.")
    return gateway.client


def _subscription_of(invoice: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the subscription of an invoice and its metadata, from the newer or the older shape."""
    parent = within(invoice, "parent")
    details = within(parent, "subscription_details") or within(invoice, "subscription_details")
    named: Any = details.get("subscription") or invoice.get("subscription")
    ref = named.get("id") if isinstance(named, dict) else named  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("str | None", ref), within(details, "metadata")


def _minor(amount: Any, currency: Any) -> int:
    """Return an amount of Stripe's in our minor units."""
    try:
        return from_stripe(int(amount), str(currency).upper())
    except (BadAmount, UnknownCurrency) as error:
        raise Impossible(str(error)) from error


async def _first(services: Services, marks: Any) -> queries_plans.FirstPayment | None:
    """Return the payment that opened the subscription, from the metadata set at checkout."""
    given = cast("dict[str, Any]", marks) if isinstance(marks, dict) else {}
    account, payment = read_id(given.get("vetrina_account")), read_id(given.get("vetrina_payment"))
    if account is None or payment is None:
        return None
    async with services.db.read() as tx:
        payment_row = await tx.fetch_optional(queries_plans.FIRST_PAYMENT, account=AccountId(account), id=payment)
    return payment_row if payment_row and payment_row.gateway == StripeGateway.name and payment_row.kind == "plan" else None
