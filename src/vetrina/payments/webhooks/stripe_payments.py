"""Handlers of Stripe events about payments: paid, failed, refunded, disputed; in any order, any number of times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import structlog

from vetrina.clients.stripe.client import Charge, Session, StripeAway, StripeRefused
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, read_id
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.stripe import StripeGateway, mask, same_amount, told
from vetrina.payments.model import GatewayFailed, GatewayResult, GatewayStatus, PaymentRow
from vetrina.payments.refunds import queries as queries_after
from vetrina.payments.settlement import actions
from vetrina.payments.webhooks.actions import Effect, Event, Impossible, on
from vetrina.web.money import BadAmount, UnknownCurrency, from_stripe

log = structlog.get_logger("vetrina.payments")


@on("checkout.session.completed", "checkout.session.async_payment_succeeded")
async def session_paid(services: Services, event: Event) -> Effect | None:
    """Record a completed checkout, which is paid now or when a delayed payment method succeeds."""
    session = _as(event.object, Session)
    payment = await _of_session(services, session)
    if payment is None:
        return None
    word = told(session)
    if word.said == GatewayStatus.PAID:
        _same_sum(payment, session.amount_total, session.currency)
    return _records(payment, word)


@on("checkout.session.expired")
async def session_expired(services: Services, event: Event) -> Effect | None:
    """Record that a checkout expired unpaid."""
    payment = await _of_session(services, _as(event.object, Session))
    return _records(payment, GatewayResult(GatewayStatus.EXPIRED)) if payment else None


@on("checkout.session.async_payment_failed")
async def session_failed(services: Services, event: Event) -> Effect | None:
    """Record that a delayed payment method failed."""
    payment = await _of_session(services, _as(event.object, Session))
    reason = "The bank did not make the payment. Nothing was charged."
    return _records(payment, GatewayResult(GatewayStatus.DECLINED, reason=reason)) if payment else None


@on("charge.succeeded", "charge.updated")
async def charge_succeeded(services: Services, event: Event) -> Effect | None:
    """Record a charge with its card; the checkout reports the payment too, without the card."""
    if event.object.get("status") != "succeeded" or not event.object.get("paid") or not event.object.get("captured", True):
        return None
    payment = await _of_money(services, event.object)
    if payment is None or payment.kind == "plan":
        return None
    _same_sum(payment, event.object.get("amount"), event.object.get("currency"))
    charge = _as(event.object, Charge)
    reference = _id(event.object.get("payment_intent")) or charge.id
    return _records(payment, GatewayResult(GatewayStatus.PAID, reference=reference, card_mask=mask(charge)))


@on("charge.failed", "payment_intent.payment_failed")
async def charge_failed(services: Services, event: Event) -> Effect | None:
    """Record a declined card with the reason. The checkout stays open for another card."""
    failed = event.object
    payment = await _of_money(services, failed)
    if payment is None:
        return None
    wrong: dict[str, Any] = failed.get("last_payment_error") or {}
    ref = (
        failed["id"]
        if failed.get("object") == "charge"
        else _id(wrong.get("charge")) or _id(failed.get("latest_charge")) or failed["id"]
    )
    reason = failed.get("failure_message") or wrong.get("message") or "The payment was declined."
    charged = failed.get("created") if failed.get("object") == "charge" else None
    code = wrong.get("decline_code") or _mark(failed.get("outcome"), "reason") or failed.get("failure_code") or wrong.get("code")

    async def keep(tx: Tx) -> None:
        await tx.execute(
            queries_after.INSERT_FAILURE, account=payment.account_id, id=payment.id, ref=ref,
            amount=_minor(payment, failed.get("amount"), failed.get("currency")) or payment.amount,
            currency=str(failed.get("currency") or payment.currency).upper(), code=code, reason=str(reason)[:2000],
            at=datetime.fromtimestamp(charged, UTC) if charged else event.at,
        )  # fmt: skip

    return keep


@on("charge.refunded")
async def charge_refunded(services: Services, event: Event) -> Effect | None:
    """Record the total refunded of a charge."""
    payment = await _of_money(services, event.object)
    if payment is None or not event.object.get("amount_refunded"):
        return None
    total = _minor(payment, event.object["amount_refunded"], event.object.get("currency"))
    return lambda tx: tx.fetch_one(
        queries_after.TELL_REFUNDED, account=payment.account_id, id=payment.id, ref=event.object["id"], total=total
    )


@on("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
async def refund_updated(services: Services, event: Event) -> Effect | None:
    """Record the state of one refund."""
    refund = event.object
    payment = await _of_money(services, refund)
    if payment is None:
        return None
    return lambda tx: tx.fetch_one(
        queries_after.TELL_REFUND, account=payment.account_id, id=payment.id,
        ours=read_id(_mark(refund.get("metadata"), "vetrina_refund")), ref=refund["id"],
        amount=_minor(payment, refund["amount"], refund.get("currency")), status=refund.get("status") or "pending",
        error=refund.get("failure_reason"),
    )  # fmt: skip


@on(*(f"charge.dispute.{verb}" for verb in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")))
async def disputed(services: Services, event: Event) -> Effect | None:
    """Record a dispute, or its result."""
    dispute = event.object
    payment = await _of_money(services, dispute)
    if payment is None:
        return None
    return lambda tx: tx.fetch_one(
        queries_after.TELL_DISPUTE, account=payment.account_id, id=payment.id, dispute=dispute["id"],
        amount=_minor(payment, dispute["amount"], dispute.get("currency")), status=dispute["status"],
        reason=dispute.get("reason"),
    )  # fmt: skip


def _records(payment: PaymentRow, word: GatewayResult) -> Effect:
    async def record_result(tx: Tx) -> None:
        news = await actions.record_result(tx, payment, word)
        if word.said == GatewayStatus.PAID and not news:  # paid before: perhaps reported by an event that did not name the card
            await tx.execute(
                queries_after.NOTE_CARD,
                account=payment.account_id,
                id=payment.id,
                reference=word.reference,
                card_mask=word.card_mask,
            )

    return record_result


def _same_sum(payment: PaymentRow, amount: Any, currency: Any) -> None:
    if not same_amount(payment, amount, currency):
        raise Impossible(f"payment {payment.id} is for {payment.amount} {payment.currency}, not {amount} {currency}")


def _minor(payment: PaymentRow, amount: Any, currency: Any) -> int:
    """Return an amount of Stripe's in our minor units; an object without a currency is in the payment's own."""
    try:
        return from_stripe(int(amount or 0), str(currency or payment.currency).upper())
    except (BadAmount, UnknownCurrency) as error:
        raise Impossible(str(error)) from error


async def _of_session(services: Services, session: Session) -> PaymentRow | None:
    async with services.db.read() as tx:
        return await tx.fetch_optional(queries.BY_REF, gateway="stripe", ref=session.id) or await _marked(tx, session.metadata)


async def _of_money(services: Services, event_object: dict[str, Any]) -> PaymentRow | None:
    """Return the payment that a charge, intent, refund or dispute belongs to, None if it is not ours.

    It is found by our metadata, by its intent, or by a request to Stripe. Raises GatewayFailed (503) if Stripe has to be
    asked and does not answer.
    """
    intent = event_object["id"] if event_object.get("object") == "payment_intent" else _id(event_object.get("payment_intent"))
    charge = event_object["id"] if event_object.get("object") == "charge" else _id(event_object.get("charge"))
    async with services.db.read() as tx:
        payment = await _marked(tx, event_object.get("metadata"))
        if payment is None and intent:
            payment = await tx.fetch_optional(queries_after.BY_REFERENCE, reference=intent)
        if payment is None:
            payment = await _marked(tx, await tx.fetch_optional(queries_after.MARKS, intent=intent, charge=charge))
    gateway = services.get(Gateways).get(StripeGateway.name)
    if payment is not None or not isinstance(gateway, StripeGateway) or not gateway.available(services.settings):
        return payment
    try:
        intent = intent or (await gateway.client.charge_intent(charge) if charge else None)
        marks = (await gateway.client.intent(intent)).metadata if intent else None
    except StripeAway as away:
        raise GatewayFailed(f"Stripe does not say whose {event_object['id']} is: {away}") from away
    except StripeRefused as refused:
        log.info("stripe does not know it", object=event_object["id"], why=str(refused))
        return None
    async with services.db.read() as tx:
        return await _marked(tx, marks)


async def _marked(tx: Tx, marks: Any) -> PaymentRow | None:
    """Return the payment that this metadata names."""
    account, payment = (read_id(_mark(marks, name)) for name in ("vetrina_account", "vetrina_payment"))
    if account is None or payment is None:
        return None
    row = await tx.fetch_optional(queries.ONE, account=AccountId(account), id=payment)
    return row if row and row.gateway == StripeGateway.name else None


def _mark(metadata: Any, name: str) -> Any:
    return cast("dict[str, Any]", metadata).get(name) if isinstance(metadata, dict) else None


def _id(value: Any) -> str | None:
    """Return an object's id, whether it was sent as an id or expanded."""
    return value if isinstance(value, str) else _mark(value, "id")


def _as(value: dict[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Impossible(f"not as documented: {error}") from error
