"""Settlement: record a gateway's result, poll the gateway, expire unpaid payments."""

from __future__ import annotations

from vetrina.core.database.connection import Tx
from vetrina.core.database.records import to_record
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.model import (
    GatewayResult,
    GatewayStatus,
    Payment,
    PaymentRow,
    Status,
)

_ENDS = {GatewayStatus.DECLINED: Status.FAILED, GatewayStatus.CANCELLED: Status.CANCELLED, GatewayStatus.EXPIRED: Status.EXPIRED}


async def record_result(tx: Tx, payment: PaymentRow, word: GatewayResult) -> bool:
    """Record a gateway's result. Return whether it changed anything; a repeated result changes nothing.

    Money counts whenever it arrives, also after the payment was declined, cancelled or expired: credits are granted,
    once. A refusal ends a payment only while it is pending, so it never revokes what was paid.
    """
    if word.said == GatewayStatus.PAID:
        return await tx.fetch_one(
            queries.SETTLE,
            account=payment.account_id,
            id=payment.id,
            reference=word.reference,
            card_mask=word.card_mask,
        )
    if word.said == GatewayStatus.WAITING:
        return False
    return await give_up(tx, payment, _ENDS[word.said], word.reason)


async def ask(services: Services, payment: PaymentRow, ref: str) -> GatewayResult:
    """Poll the gateway about checkout `ref` and record the result. Raises GatewayFailed (503).

    A gateway that this process does not know counts as waiting.
    """
    gateway = services.get(Gateways).get(payment.gateway)
    if gateway is None:
        return GatewayResult(GatewayStatus.WAITING)
    word = await gateway.fetch_result(payment, ref)
    if word.said != GatewayStatus.WAITING:
        async with services.db.tx() as tx:
            await record_result(tx, payment, word)
    return word


async def close(services: Services, payment: PaymentRow, ref: str | None) -> GatewayResult:
    """Close a pending checkout where the gateway can, ask what became of it, and record that.

    Money that came all the same counts: the payment is cancelled only if it was not paid. Raises GatewayFailed (503).
    """
    gateway = services.get(Gateways).get(payment.gateway)
    word = GatewayResult(GatewayStatus.CANCELLED)
    if gateway is not None and ref is not None:
        await gateway.close_checkout(ref)
        answer = await gateway.fetch_result(payment, ref)
        word = answer if answer.said == GatewayStatus.PAID else word
    async with services.db.tx() as tx:
        await record_result(tx, payment, word)
    return word


async def expire(tx: Tx, payment: PaymentRow) -> bool:
    """Expire an unpaid payment; return whether it was still pending."""
    return await give_up(tx, payment, Status.EXPIRED, None)


def to_response(row: PaymentRow) -> Payment:
    """Return the API's representation of a row."""
    return to_record(Payment, row, checkout_url=row.checkout_url if row.status == Status.PENDING else None)


async def give_up(tx: Tx, payment: PaymentRow, status: Status, reason: str | None) -> bool:
    """End an unpaid payment; return whether it was still pending."""
    return await tx.fetch_one(queries.GIVE_UP, account=payment.account_id, id=payment.id, status=status.value, reason=reason)
