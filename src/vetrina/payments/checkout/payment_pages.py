"""Pages of payments: history, the status page, and the sandbox checkout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from vetrina.core.database import paging
from vetrina.core.errors import Invalid, NotFound
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import queries
from vetrina.payments.gateways import sandbox
from vetrina.payments.gateways.registry import Gateways
from vetrina.payments.gateways.stripe import StripeGateway
from vetrina.payments.model import PaymentRow, Status
from vetrina.payments.settlement import actions
from vetrina.wallet import labels
from vetrina.web.i18n import say

SHOWN = 50
LONG = timedelta(minutes=1)
"""How long the status page waits before it says that the payment is taking long."""
PATH_LIMIT = 1000
"""Maximum length of the path to continue to after paying."""


@get("/payments", guards=[signed_in], include_in_schema=False)
async def history(request: Request, cursor: Cursor = None) -> Response[str]:
    """Render the account's payments, newest first."""
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.HISTORY, cursor, SHOWN, account=request.account.id, status=None)
    stripe = request.services.get(Gateways).get(StripeGateway.name)
    billing = stripe is not None and stripe.available(request.services.settings)
    return pages.render(
        request,
        "payments/checkout/history.html",
        nav="wallet",
        forms=stripe.origins if billing and stripe else (),
        payments=[_payment(request, row) for row in page.items],
        older=page.older("/payments"),
        billing=billing and any(row.gateway == StripeGateway.name for row in page.items),
    )


@get("/payments/{payment_id:uuid}", guards=[signed_in], include_in_schema=False)
async def one(request: Request, payment_id: UUID, left: bool = False) -> Response[str]:
    """Render a payment's status: it waits until the payment has ended. `left`: the gateway reports that the buyer left."""
    async with request.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=request.account.id, id=payment_id)
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
    """Render the sandbox checkout. Anyone who has its address may complete it, signed in or not."""
    row = await _by_token(request, token)
    payment = _payment(request, row)
    return pages.render(request, "payments/checkout/sandbox.html", payment=payment, settled=row.status != Status.PENDING)


@post("/payments/sandbox/{token:str}", include_in_schema=False)
async def outcome(request: Request, token: str) -> Response[Any]:
    """Record the chosen outcome. 422 for an unknown outcome."""
    row = await _by_token(request, token)
    word = sandbox.word(str((await request.form()).get("outcome") or ""), row)
    if word is None:
        raise Invalid("Choose how the payment shall end: paid, declined or cancelled.")
    async with request.tx() as tx:
        await actions.record_result(tx, row, word)
    return pages.redirect(f"/payments/{row.id}")


async def _by_token(request: Request, token: str) -> PaymentRow:
    if not request.services.settings.sandbox or not sandbox.is_token(token):
        raise NotFound
    async with request.read() as tx:
        return await tx.fetch_one(queries.BY_REF, gateway=sandbox.Sandbox.name, ref=token)


def _payment(request: Request, row: PaymentRow) -> dict[str, Any]:
    """Return a payment's template data."""
    gateway = request.services.get(Gateways).get(row.gateway)
    return {
        "id": row.id,
        "kind": row.kind,
        "quantity": row.quantity or 1,
        "status": row.status,
        "gateway": row.gateway,
        "expires_at": row.expires_at,
        "title": labels.amount(row.asset, row.quantity) if row.asset and row.quantity else row.description,
        "amount": row.amount,
        "currency": row.currency,
        "gateway_title": say(gateway.title) if gateway else row.gateway.title(),
        "reference": row.reference,
        "created_at": row.created_at,
        "paid_at": row.paid_at,
        "refused": row.failure_reason,
        "back": row.refunded + row.disputed,
    }


def onward(path: str | None) -> str | None:
    """Return the local path to continue to after paying, or None."""
    return pages.safe_local_path(path, "") or None if path and len(path) <= PATH_LIMIT else None


ROUTES: list[Any] = [history, one, checkout, outcome]
