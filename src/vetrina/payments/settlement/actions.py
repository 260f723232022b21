"""The rules of payments: start, hear what the gateway says, ask it, let what nobody paid expire."""

from __future__ import annotations

from uuid import UUID

import msgspec
import structlog

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.idempotency import Turn
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.checkout.pricing import Purchase, Wanted, choose
from vetrina.payments.gateways.registry import Gateway, gateways
from vetrina.payments.model import (
    CheckoutTooLate,
    GatewayFailed,
    Payment,
    PaymentRow,
    Said,
    Status,
    Word,
)

log = structlog.get_logger("vetrina.payments")

_ENDS = {Said.DECLINED: Status.FAILED, Said.CANCELLED: Status.CANCELLED, Said.EXPIRED: Status.EXPIRED}


async def start(
    services: Services, account: AccountId, purchase: Purchase, turn: Turn, *, return_url: str | None = None
) -> PaymentRow:
    """Open a checkout at today's price, and keep the answer (201) in `turn`.

    Raises UnknownPack, GatewayNotOffered (422), NoGateway, GatewayFailed (503; the payment is kept as failed),
    CheckoutTooLate (409), and for a plan what `wallet.plans.offer` raises.
    """
    known = services.part(gateways)
    async with services.db.tx() as tx:
        wanted, gateway = await choose(tx, known, account, purchase)
        payment = await _insert(tx, services, account, turn.work_id, wanted, gateway, return_url)
    # After a takeover it is the payment that the first process made, whatever has changed since.
    gateway = known.get(payment.gateway) or gateway
    if payment.status != Status.PENDING:
        raise CheckoutTooLate
    try:
        checkout = await gateway.begin(payment)
    except GatewayFailed as failed:
        log.warning("a checkout could not be opened", gateway=gateway.name, payment=str(payment.id), why=failed.message)
        async with services.db.tx() as tx:
            await _give_up(tx, payment, Status.FAILED, failed.message)
        raise
    async with services.db.tx() as tx:
        place = {"account": account, "id": payment.id, "ref": checkout.ref}
        await tx.do(queries.INSERT_REF, gateway=gateway.name, **place)
        if not await tx.do(queries.OPEN, url=checkout.url, **place):
            raise CheckoutTooLate
        opened = await tx.one(queries.ONE, account=account, id=payment.id)
        await turn.keep(tx, 201, shown(opened))
    return opened


async def hear(tx: Tx, payment: PaymentRow, word: Word) -> bool:
    """Believe the gateway. True if that changed anything; what is told again changes nothing.

    Money counts whenever it comes, also after the payment was declined, left or had expired: credits are granted, once.
    A refusal ends a payment only while it is pending, so it never takes back what was paid.
    """
    if word.said == Said.PAID:
        return await tx.one(
            queries.SETTLE,
            account=payment.account_id,
            id=payment.id,
            reference=word.reference,
            card_mask=word.card_mask,
        )
    if word.said == Said.WAITING:
        return False
    return await _give_up(tx, payment, _ENDS[word.said], word.reason)


async def ask(services: Services, payment: PaymentRow, ref: str) -> Word:
    """Ask the gateway what became of its checkout `ref`, and believe it. Raises GatewayFailed (503).

    A gateway that is not known here any more says that it is waiting.
    """
    gateway = services.part(gateways).get(payment.gateway)
    if gateway is None:
        return Word(Said.WAITING)
    word = await gateway.ask(payment, ref)
    if word.said != Said.WAITING:
        async with services.db.tx() as tx:
            await hear(tx, payment, word)
    return word


async def expire(tx: Tx, payment: PaymentRow) -> bool:
    """Nobody paid in time. True if it was still pending."""
    return await _give_up(tx, payment, Status.EXPIRED, None)


def shown(row: PaymentRow) -> Payment:
    """The row as programs see it."""
    return Payment(
        id=row.id,
        status=row.status,
        kind=row.kind,
        gateway=row.gateway,
        pack_id=row.pack_id,
        plan_id=row.plan_id,
        asset=row.asset,
        quantity=row.quantity,
        amount=row.amount,
        currency=row.currency,
        description=row.description,
        checkout_url=row.checkout_url if row.status == Status.PENDING else None,
        reference=row.reference,
        card_mask=row.card_mask,
        failure_reason=row.failure_reason,
        paid_at=row.paid_at,
        expires_at=row.expires_at,
        created_at=row.created_at,
        refunded=row.refunded,
    )


async def _insert(
    tx: Tx, services: Services, account: AccountId, payment: UUID, wanted: Wanted, gateway: Gateway, return_url: str | None
) -> PaymentRow:
    fresh = await tx.do(
        queries.INSERT,
        account=account,
        id=payment,
        gateway=gateway.name,
        callback_url=f"{services.settings.address}/payments/{payment}",
        return_url=return_url,
        lives=gateway.lives,
        **msgspec.structs.asdict(wanted),
    )
    if fresh:
        facts = {"payment_id": str(payment), "what": wanted.name, "gateway": gateway.name}
        await usage.record(tx, account, "payment_started", {**facts, "amount": wanted.amount, "currency": wanted.currency})
    return await tx.one(queries.ONE, account=account, id=payment)


async def _give_up(tx: Tx, payment: PaymentRow, status: Status, reason: str | None) -> bool:
    return await tx.one(queries.GIVE_UP, account=payment.account_id, id=payment.id, status=status.value, reason=reason)
