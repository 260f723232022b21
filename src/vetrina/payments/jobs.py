"""Background jobs of payments: expiry, polling, webhooks, refunds, subscriptions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from vetrina.clients.stripe.client import StripeRefused
from vetrina.core.database.ids import AccountId
from vetrina.core.jobs.queue import job
from vetrina.core.messages.outbox import Letter, post
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.model import ExpiredPayment, GatewayFailed, Status
from vetrina.payments.plans import actions as plans
from vetrina.payments.plans import queries as plan_queries
from vetrina.payments.plans import stripe_subscriptions as subscriptions
from vetrina.payments.refunds import actions as refunds
from vetrina.payments.refunds import queries as refund_queries
from vetrina.payments.settlement import actions
from vetrina.payments.settlement import sweep as sweeping
from vetrina.payments.webhooks import actions as told
from vetrina.payments.webhooks import queries as queries_told
from vetrina.payments.webhooks import stripe_payments as stripe_events
from vetrina.payments.webhooks.event_types import STRIPE_EVENTS
from vetrina.web import formatting as words
from vetrina.web import i18n
from vetrina.web.i18n import say

log = structlog.get_logger("vetrina.payments")

HANDLED = (stripe_events,)
"""Modules that declare handlers of events; they must be loaded before the first event."""
BATCH = 200
PATIENCE = timedelta(hours=24)
"""How long after its expiry a payment waits for a gateway that does not answer. Money that arrives later still counts."""


@job("payments.expire_due", queue="payments", every="* * * * *")
async def expire_due(services: Services) -> None:
    """Expire payments whose time has run out, after polling their gateway once more.

    One whose gateway does not answer is left for the next run and does not block the others.
    """
    after, after_id = datetime.min.replace(tzinfo=UTC), UUID(int=0)
    while True:
        async with services.db.read() as tx:
            due = await tx.fetch_all(queries.DUE, after=after, after_id=after_id, limit=BATCH)
        for row in due:
            await _end(services, row)
        if len(due) < BATCH:
            return
        after, after_id = due[-1].expires_at, due[-1].id


async def _end(services: Services, due: ExpiredPayment) -> None:
    async with services.db.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=AccountId(due.account_id), id=due.id)
    if due.ref is not None:
        try:
            await actions.ask(services, payment, due.ref)
        except Exception as error:
            fault = not isinstance(error, GatewayFailed)
            log.warning("a gateway does not answer", gateway=due.gateway, payment=str(due.id), exc_info=fault)
            if datetime.now(UTC) - due.expires_at < PATIENCE:
                return
    async with services.db.tx() as tx:
        await actions.expire(tx, payment)


@job("payments.ask", queue="payments", attempts=8)
async def ask(services: Services, account: str, payment: str) -> None:
    """Poll a payment's gateway, retried while it does not answer. What was settled meanwhile stays."""
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=AccountId(UUID(account)), id=UUID(payment))
        ref = await tx.fetch_optional(queries.REF, account=row.account_id, id=row.id)
    if ref is not None and row.paid_at is None:
        await actions.ask(services, row, ref)


@job("payments.stripe_event", queue="payments")
async def stripe_event(services: Services, event_id: str) -> None:
    """Process one Stripe event. Its outcome is stored; failures are retried by `retry_events`."""
    await told.apply(services, event_id)


@job("payments.retry_events", queue="payments", every="* * * * * */10")
async def retry_events(services: Services) -> None:
    """Retry the failed events that are due, every ten seconds."""
    while await told.again(services, BATCH) == BATCH:
        pass


@job("payments.find_events", queue="payments", every="*/10 * * * *")
async def find_events(services: Services) -> None:
    """Process received events that have no job, every ten minutes."""
    async with services.db.read() as tx:
        lost = await tx.fetch_all(queries_told.LOST, told=list(STRIPE_EVENTS), limit=BATCH)
    for row in lost:
        log.warning("an event had been left", stripe_event=row)
        await told.apply(services, row)


@job("payments.refund", queue="payments", attempts=12)
async def refund(services: Services, account: str, refund: str) -> None:
    """Send a requested refund to the gateway, retried while it does not answer."""
    await refunds.carry(services, AccountId(UUID(account)), UUID(refund))


@job("payments.notify_surplus", queue="payments")
async def notify_surplus(services: Services, account: str, payment: str) -> None:
    """Write to the buyer that a payment no longer fitted the plan and is being refunded."""
    async with services.db.tx() as tx:
        late = await tx.fetch_optional(refund_queries.SURPLUS, account=UUID(account), payment=UUID(payment))
        if late is None:
            return
        link = f"{services.settings.address}/payments/{payment}"
        with i18n.use(i18n.named(late.language) or "en"):
            subject = say("Your payment is being refunded")
            text = say(
                "Your payment of {amount} for the {plan} plan came in after your plan had changed, so that it no longer bought "
                "what its checkout said. It is being refunded. If the refund is not possible, the month follows those that you "
                "have paid already. {link}",
                amount=words.money(late.amount, late.currency),
                plan=late.plan,
                link=link,
            )
        if late.email:
            await post(tx, services, Letter("mail", late.email, text, subject))
        elif late.phone:
            await post(tx, services, Letter("sms", late.phone, text))


@job("payments.stop_renewal", queue="payments", attempts=200)
async def stop_renewal(services: Services, account: str) -> None:
    """End the renewal of a disabled account's plan at the period's end, again until its gateway answers."""
    owner = AccountId(UUID(account))
    async with services.db.read() as tx:
        renewed = await tx.fetch_optional(plan_queries.RENEWED_OF_DISABLED, account=owner)
    if renewed is not None:
        await plans.cancel(services, owner)


@job("payments.sweep", queue="payments", every="* * * * * 30")
async def sweep(services: Services) -> None:
    """Poll the gateways about doubtful payments, every minute."""
    result = await sweeping.sweep(services)
    if result.paid or result.away:
        log.info("swept", **msgspec.structs.asdict(result))


@job("payments.close_checkout", queue="payments", attempts=200)
async def close_checkout(services: Services, account: str, payment: str) -> None:
    """Close the open checkout of an account that is being erased, again until its gateway answers."""
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=AccountId(UUID(account)), id=UUID(payment))
        ref = await tx.fetch_optional(queries.REF, account=row.account_id, id=row.id)
    if row.status == Status.PENDING:
        await actions.close(services, row, ref)


@job("payments.end_subscription", queue="payments", attempts=200)
async def end_subscription(services: Services, ref: str, prorate: bool = True) -> None:
    """End a subscription at Stripe now: another payment pays for the plan, or its account is erased.

    It is repeated until Stripe answers. Without `prorate` Stripe credits nothing, since the rest of its month was credited here.
    """
    try:
        await subscriptions.client(services).end_now(ref, key=f"end {ref}", prorate=prorate)
    except StripeRefused as refused:
        log.info("a subscription was over already", ref=ref, why=str(refused))
