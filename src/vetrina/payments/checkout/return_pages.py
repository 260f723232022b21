"""Where gateways send buyers back to."""

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
"""States in which money may still have come."""


@get("/payments/zarinpal/callback", include_in_schema=False)
async def zarinpal(
    request: Request, authority: Annotated[str, QueryParameter(name="Authority", min_length=1, max_length=64)]
) -> Response[Any]:
    """Back from ZarinPal. Its query is a hint that something happened: which payment it is, its amount and its currency come
    from our row, how it went from ZarinPal. When that does not answer, a job goes on asking. 404 for an unknown authority.
    """
    return await _back(request, ZarinPalGateway.name, authority)


@get("/payments/stripe/return", include_in_schema=False)
async def stripe(
    request: Request, session: Annotated[str, QueryParameter(name="session", min_length=1, max_length=255)]
) -> Response[Any]:
    """Back from Stripe's Checkout: as above. 404 for an unknown session."""
    return await _back(request, StripeGateway.name, session)


async def _back(request: Request, gateway: str, ref: str) -> Response[Any]:
    """Ask the gateway, and go to the page that says how it went."""
    async with request.read() as tx:
        payment = await tx.one(queries.BY_REF, gateway=gateway, ref=ref)
    if payment.status in OPEN:
        try:
            await actions.ask(request.services, payment, ref)
        except GatewayFailed:
            place = {"account": str(payment.account_id), "payment": str(payment.id)}
            async with request.tx() as tx:
                await enqueue(tx, "payments.ask", queue="payments", lock=f"payment {payment.id}", **place)
    return pages.go(f"/payments/{payment.id}")


ROUTES: list[Any] = [zarinpal, stripe]
"""What the application serves."""
