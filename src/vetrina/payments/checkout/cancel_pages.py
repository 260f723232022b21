"""Cancelling a checkout, and Stripe's billing portal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, post

from vetrina.core.errors import NotFound
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import queries
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.model import GatewayFailed, Status
from vetrina.payments.settlement import actions


@post("/payments/{payment_id:uuid}/cancellation", guards=[signed_in], include_in_schema=False)
async def cancel(request: Request, payment_id: UUID) -> Response[Any]:
    """Cancel a pending payment: close its checkout where the gateway can, after asking whether it was paid."""
    account = request.account.id
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=account, id=payment_id)
        ref = await tx.fetch_optional(queries.REF, account=account, id=payment_id)
    home = f"/payments/{payment_id}"
    if payment.status != Status.PENDING:
        return pages.redirect(home)
    try:
        await actions.close(request.services, payment, ref)
    except GatewayFailed as failed:
        return pages.redirect(home, flash=("bad", failed.message))
    return pages.redirect(home)


@post("/payments/billing", guards=[signed_in], include_in_schema=False)
async def billing(request: Request) -> Response[Any]:
    """Redirect to Stripe's billing portal: cards and invoices. 404 if Stripe is not set up."""
    gateway = request.services.get(Gateways).get(StripeGateway.name)
    if not isinstance(gateway, StripeGateway) or not gateway.available(request.services.settings):
        raise NotFound
    try:
        home = f"{request.services.settings.address}/payments"
        return pages.redirect(await gateway.portal(request.account.id, return_url=home))
    except GatewayFailed as failed:
        return pages.redirect("/payments", flash=("bad", failed.message))


ROUTES: list[Any] = [cancel, billing]
