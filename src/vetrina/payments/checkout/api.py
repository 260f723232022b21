"""JSON routes of payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.idempotency import idempotent
from vetrina.core.web import idempotent_response as replay
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import queries
from vetrina.payments.checkout import actions as checkout
from vetrina.payments.checkout.pricing import Purchase
from vetrina.payments.model import Payment, Status


@post("/payments", guards=[signed_in], tags=["payments"])
async def start(request: Request, data: Purchase) -> Response[Payment]:
    """Open a checkout for a pack or a month of a plan.

    The buyer pays at `checkout_url`; credits are granted when the gateway confirms.

    The same Idempotency-Key returns the same payment. 422 for a pack or gateway that is not offered, 503 if the gateway
    does not answer.
    """
    account = request.account.id
    async with idempotent(request.services.db, account, request.idempotency_key, "POST /payments", data) as keyed:
        if keyed.answer is None:
            await checkout.start(request.services, account, data, keyed)
    return replay.answer(keyed)


@get("/payments", guards=[signed_in], tags=["payments"])
async def history(request: Request, limit: Limit = 50, cursor: Cursor = None, status: Status | None = None) -> Page[Payment]:
    """Return the account's payments, newest first."""
    async with request.read() as tx:
        page = await paging.fetch(
            tx, queries.HISTORY, cursor, limit, account=request.account.id, status=status.value if status else None
        )
    return page.map(checkout.to_response)


@get("/payments/{payment_id:uuid}", guards=[signed_in], tags=["payments"])
async def one(request: Request, payment_id: UUID) -> Payment:
    """Return one payment."""
    async with request.read() as tx:
        return checkout.to_response(await tx.fetch_one(queries.ONE, account=request.account.id, id=payment_id))


ROUTES: list[Any] = [start, history, one]
