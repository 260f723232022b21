"""Pages that gateways redirect buyers back to."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from vetrina.core.jobs.queue import enqueue
from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.payments import queries
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.gateways.zarinpal import ZarinPalGateway
from vetrina.payments.model import GatewayFailed, Status
from vetrina.payments.settlement import actions

OPEN = {Status.PENDING, Status.FAILED, Status.CANCELLED, Status.EXPIRED}
"""States in which money may still arrive."""


@get("/payments/zarinpal/callback", include_in_schema=False)
async def zarinpal(
    request: Request, authority: Annotated[str, QueryParameter(name="Authority", min_length=1, max_length=64)]
) -> Response[Any]:
    """Handle the return from ZarinPal.

    The query is only a hint: payment, amount and currency come from our row, the result from ZarinPal. If ZarinPal does not
    answer, a job keeps polling. 404 for an unknown authority.
    """
    return await _back(request, ZarinPalGateway.name, authority)


@get("/payments/stripe/return", include_in_schema=False)
async def stripe(
    request: Request, session: Annotated[str, QueryParameter(name="session", min_length=1, max_length=255)]
) -> Response[Any]:
    """Handle the return from Stripe Checkout, like `zarinpal`. 404 for an unknown session."""
    return await _back(request, StripeGateway.name, session)


async def _back(request: Request, gateway: str, ref: str) -> Response[Any]:
    """Poll the gateway and redirect to the payment's status page."""
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.BY_REF, gateway=gateway, ref=ref)
    if payment.status in OPEN:
        try:
            await actions.ask(request.services, payment, ref)
        except GatewayFailed:
            place = {"account": str(payment.account_id), "payment": str(payment.id)}
            async with request.tx() as tx:
                await enqueue(tx, "payments.ask", queue="payments", lock=f"payment {payment.id}", **place)
    return pages.redirect(f"/payments/{payment.id}")


ROUTES: list[Any] = [zarinpal, stripe]
"""The routes of this file."""
