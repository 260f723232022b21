"""Refund actions: request by an operator, sending to the gateway, recording its result."""

from __future__ import annotations

from uuid import UUID

import structlog

from vetrina.core import audit
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import GatewayFailed, NotRefundable, PaymentRow, RefundRow
from vetrina.payments.refunds import queries as queries_after

log = structlog.get_logger("vetrina.payments")


async def ask(
    services: Services, payment: PaymentRow, amount: int, *, id: UUID, reason: str | None, by: AccountId | None
) -> RefundRow:
    """Request a refund of `amount` (minor units) on behalf of operator `by`; the same `id` is the same refund.

    It is stored before the gateway is called. A gateway that does not answer is retried by a job; a refusal ends the
    refund as failed. Raises RefundExceedsPayment (409).
    """
    place = {"account": str(payment.account_id), "refund": str(id)}
    async with services.db.tx() as tx:
        inserted = await tx.fetch_one(
            queries_after.ASK_REFUND, account=payment.account_id, payment=payment.id, id=id, amount=amount, reason=reason, by=by
        )
        # Whatever happens to this process, a job calls the gateway.
        await enqueue(tx, "payments.refund", queue="payments", lock=f"refund {id}", **place)
        if inserted:
            await audit.record(
                tx,
                "refund_asked",
                payment.account_id,
                resource=("payment", payment.id),
                metadata={"refund_id": str(id), "amount": amount, "currency": payment.currency},
                said={"why": reason} if reason else None,
                actor=audit.Actor("admin", by) if by else audit.SYSTEM,
            )
    try:
        return await carry(services, AccountId(payment.account_id), id)
    except GatewayFailed as failed:
        log.warning("a refund waits for its gateway", payment=str(payment.id), why=failed.message)
    async with services.db.read() as tx:
        return await tx.fetch_one(queries_after.REFUND, account=payment.account_id, id=id)


async def carry(services: Services, account: AccountId, id: UUID) -> RefundRow:
    """Send a requested refund to the gateway. Raises GatewayFailed (503) if it does not answer."""
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries_after.REFUND, account=account, id=id)
        payment = await tx.fetch_one(queries.ONE, account=account, id=row.payment_id)
        ref = await tx.fetch_optional(queries.REF, account=account, id=payment.id)
    if row.status != "asked":
        return row
    gateway = services.get(Gateways).get(payment.gateway)
    if gateway is None or ref is None:
        raise GatewayFailed("This payment's gateway is not set up here.")
    try:
        result = await gateway.refund(payment, ref, row.amount, str(id))
        outcome = {"ref": result.ref, "status": result.status, "error": result.error}
    except NotRefundable as refused:
        outcome = {"ref": None, "status": "failed", "error": refused.message}
    async with services.db.tx() as tx:
        await _record_outcome(tx, account, row, outcome)
    async with services.db.read() as tx:
        return await tx.fetch_one(queries_after.REFUND, account=account, id=id)


async def _record_outcome(tx: Tx, account: AccountId, row: RefundRow, outcome: dict[str, str | None]) -> None:
    await tx.fetch_one(queries_after.TELL_REFUND, account=account, id=row.payment_id, ours=row.id, amount=row.amount, **outcome)
