"""Pages of payments: what was paid, the page that waits, and the test checkout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.core.errors import Invalid, NotFound
from vetrina.core.web import pages, paging
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import queries
from vetrina.payments.gateways import sandbox
from vetrina.payments.gateways.registry import gateways
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.model import PaymentRow, Status, goods
from vetrina.payments.settlement import actions

SHOWN = 50
LONG = timedelta(minutes=1)
"""How long a payment is waited for before the page says that it is taking long."""
PATH_LIMIT = 1000
"""Characters of the path that one goes on to after paying."""


@get("/payments", guards=[signed_in], include_in_schema=False)
async def history(request: Request, cursor: Cursor = None) -> Response[str]:
    """Every payment, the newest first."""
    before = paging.after(cursor)
    async with request.read() as tx:
        rows = await tx.all(queries.HISTORY, account=request.account.id, before=before, status=None, limit=SHOWN + 1)
    page = paging.page(rows, SHOWN, lambda row: row.id, lambda row: _payment(request, row))
    older = f"/payments?cursor={page.next_cursor}" if page.next_cursor else None
    stripe = request.services.part(gateways).get(StripeGateway.name)
    billing = stripe is not None and stripe.available(request.services.settings)
    return pages.render(
        request,
        "payments/checkout/history.html",
        nav="wallet",
        forms=stripe.sites if billing and stripe else (),
        payments=page.items,
        older=older,
        billing=billing and any(each["gateway"] == StripeGateway.name for each in page.items),
    )


@get("/payments/{payment_id:uuid}", guards=[signed_in], include_in_schema=False)
async def one(request: Request, payment_id: UUID, left: bool = False) -> Response[str]:
    """Where gateways send people back to: it waits, and then says how it went. `left`: the gateway says that they left."""
    async with request.read() as tx:
        row = await tx.one(queries.ONE, account=request.account.id, id=payment_id)
    pending = row.status == Status.PENDING
    return pages.render(
        request,
        "payments/checkout/payment.html",
        nav="wallet",
        payment=_payment(request, row),
        left=left,
        long=pending and datetime.now(UTC) - row.created_at > LONG,
        checkout_url=row.checkout_url if pending else None,
        next=onward(row.return_url),
    )


@get("/payments/sandbox/{token:str}", include_in_schema=False)
async def checkout(request: Request, token: str) -> Response[str]:
    """The test checkout. Whoever has its address may end it, signed in or not."""
    row = await _by_token(request, token)
    payment = _payment(request, row)
    return pages.render(request, "payments/checkout/sandbox.html", payment=payment, settled=row.status != Status.PENDING)


@post("/payments/sandbox/{token:str}", include_in_schema=False)
async def outcome(request: Request, token: str) -> Response[Any]:
    """The bank's word, as chosen. 422 for an outcome that there is not."""
    row = await _by_token(request, token)
    word = sandbox.word(str((await request.form()).get("outcome") or ""), row)
    if word is None:
        raise Invalid("Choose how the payment shall end: paid, declined or cancelled.")
    async with request.tx() as tx:
        await actions.hear(tx, row, word)
    return pages.go(f"/payments/{row.id}")


async def _by_token(request: Request, token: str) -> PaymentRow:
    if not request.services.settings.sandbox or not sandbox.is_token(token):
        raise NotFound
    async with request.read() as tx:
        return await tx.one(queries.BY_REF, gateway=sandbox.Sandbox.name, ref=token)


def _payment(request: Request, row: PaymentRow) -> dict[str, Any]:
    """A payment as the templates take it."""
    gateway = request.services.part(gateways).get(row.gateway)
    return {
        "id": row.id,
        "kind": row.kind,
        "quantity": row.quantity or 1,
        "status": row.status,
        "gateway": row.gateway,
        "expires_at": row.expires_at,
        "title": goods(row.asset, row.quantity) if row.asset and row.quantity else row.description,
        "amount": row.amount,
        "currency": row.currency,
        "gateway_title": gateway.title if gateway else row.gateway.title(),
        "reference": row.reference,
        "created_at": row.created_at,
        "paid_at": row.paid_at,
        "refused": row.failure_reason,
        "back": row.refunded + row.disputed,
    }


def onward(path: str | None) -> str | None:
    """Where to go on to after paying: a path of ours, or None."""
    return pages.local(path, "") or None if path and len(path) <= PATH_LIMIT else None


ROUTES: list[Any] = [history, one, checkout, outcome]
