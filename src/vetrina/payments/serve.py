"""Where gateways send buyers back to."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import QueryParameter

from vetrina.core.jobs import enqueue
from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.payments import actions, queries
from vetrina.payments.model import GatewayFailed, Status
from vetrina.payments.zarinpal import ZarinPalGateway

OPEN = {Status.PENDING, Status.FAILED, Status.CANCELLED, Status.EXPIRED}
"""States in which money may still have come."""


@get("/payments/zarinpal/callback", include_in_schema=False)
async def zarinpal(
    request: Request, authority: Annotated[str, QueryParameter(name="Authority", min_length=1, max_length=64)]
) -> Response[Any]:
    """Back from ZarinPal. Its query is a hint that something happened: which payment it is, its amount and its currency come
    from our row, how it went from ZarinPal. When that does not answer, a job goes on asking. 404 for an unknown authority.
    """
    services = request.services
    async with request.read() as tx:
        payment = await tx.one(queries.BY_REF, gateway=ZarinPalGateway.name, ref=authority)
    if payment.status in OPEN:
        try:
            await actions.ask(services, payment, authority)
        except GatewayFailed:
            place = {"account": str(payment.account_id), "payment": str(payment.id)}
            async with request.tx() as tx:
                await enqueue(tx, "payments.ask", queue="payments", lock=f"payment {payment.id}", **place)
    return pages.go(f"/payments/{payment.id}")


ROUTES: list[Any] = [zarinpal]
"""What the application serves."""
