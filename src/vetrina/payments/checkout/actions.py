"""Checkout actions: open a checkout at today's price."""

from __future__ import annotations

from uuid import UUID

import msgspec
import structlog

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.idempotency import IdempotentRequest
from vetrina.core.services import Services
from vetrina.payments import queries
from vetrina.payments.checkout.pricing import Purchase, Quote, choose
from vetrina.payments.gateways.registry import Gateway, Gateways
from vetrina.payments.model import Checkout, CheckoutTooLate, GatewayFailed, PaymentRow, Status
from vetrina.payments.settlement.actions import give_up, to_response

log = structlog.get_logger("vetrina.payments")


async def start(
    services: Services, account: AccountId, purchase: Purchase, keyed: IdempotentRequest, *, return_url: str | None = None
) -> PaymentRow:
    """Open a checkout at today's price, and save the response (201) in `keyed`.

    Raises UnknownPack, GatewayNotOffered (422), NoGateway, GatewayFailed (503; the payment is stored as failed),
    CheckoutTooLate (409), and for a plan what `wallet.plans.offer` raises.
    """
    registry = services.get(Gateways)
    async with services.db.tx() as tx:
        quote, gateway = await choose(tx, registry, account, purchase, services.modules.spends)
        payment = await _insert(tx, services, account, keyed.work_id, quote, gateway, return_url)
    # After a takeover this is the payment that the first process made, whatever has changed since.
    gateway = registry.get(payment.gateway) or gateway
    if payment.status != Status.PENDING:
        raise CheckoutTooLate
    try:
        checkout = await gateway.open_checkout(payment)
        return await _open(services, payment, gateway, checkout, keyed)
    except GatewayFailed as failed:
        log.warning("a checkout could not be opened", gateway=gateway.name, payment=str(payment.id), why=failed.message)
        async with services.db.tx() as tx:
            await give_up(tx, payment, Status.FAILED, failed.message)
        raise


async def _open(
    services: Services, payment: PaymentRow, gateway: Gateway, checkout: Checkout, keyed: IdempotentRequest
) -> PaymentRow:
    """Record the gateway's checkout. Raises GatewayFailed (503) for a reference of another payment, CheckoutTooLate (409)."""
    place = {"account": payment.account_id, "id": payment.id, "ref": checkout.ref}
    async with services.db.tx() as tx:
        await tx.execute(queries.INSERT_REF, gateway=gateway.name, **place)
        if not await tx.fetch_one(queries.HAS_REF, gateway=gateway.name, **place):
            log.error("a gateway gave out a reference twice", gateway=gateway.name, payment=str(payment.id), ref=checkout.ref)
            raise GatewayFailed(f"{gateway.title} answered with the reference of another payment. Nothing was charged.")
        if not await tx.execute(queries.OPEN, url=checkout.url, **place):
            raise CheckoutTooLate
        opened = await tx.fetch_one(queries.ONE, account=payment.account_id, id=payment.id)
        await keyed.save_response(tx, 201, to_response(opened))
    return opened


async def _insert(
    tx: Tx, services: Services, account: AccountId, payment: UUID, quote: Quote, gateway: Gateway, return_url: str | None
) -> PaymentRow:
    inserted = await tx.execute(
        queries.INSERT,
        account=account,
        id=payment,
        gateway=gateway.name,
        callback_url=f"{services.settings.address}/payments/{payment}",
        return_url=return_url,
        lifetime=gateway.checkout_lifetime,
        **msgspec.structs.asdict(quote),
    )
    if inserted:
        facts = {"payment_id": str(payment), "what": quote.name, "gateway": gateway.name}
        await usage.record(tx, account, "payment_started", {**facts, "amount": quote.amount, "currency": quote.currency})
    return await tx.fetch_one(queries.ONE, account=account, id=payment)
