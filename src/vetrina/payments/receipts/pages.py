"""A payment's receipt as page and PDF."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get
from litestar.params import Parameter

from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.payments import queries
from vetrina.payments.receipts import actions as receipts
from vetrina.payments.receipts import pdf as receipt_pdf

_BUSY = asyncio.Semaphore(2)
"""Drawing a PDF takes some tenths of a second of processor time; more at once would only wait for each other."""


@get("/payments/{payment_id:uuid}/receipt", guards=[signed_in], include_in_schema=False)
async def page(request: Request, payment_id: UUID) -> Response[str]:
    """Render the receipt. 404 until the payment is completed."""
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=request.account.id, id=payment_id)
        receipt = await receipts.receipt(request.services, tx, payment)
    return pages.render(request, "payments/receipts/receipt.html", nav="wallet", receipt=receipt, payment_id=payment_id)


@get("/payments/{payment_id:uuid}/receipt.pdf", guards=[signed_in], include_in_schema=False)
async def pdf(request: Request, payment_id: UUID, lang: Annotated[Literal["en", "fa"], Parameter()] = "en") -> Response[bytes]:
    """Return the receipt as a PDF, in English or Persian."""
    async with request.read() as tx:
        payment = await tx.fetch_one(queries.ONE, account=request.account.id, id=payment_id)
        receipt = await receipts.receipt(request.services, tx, payment)
    async with _BUSY:
        body = await asyncio.to_thread(receipt_pdf.draw, receipt, lang)
    headers = {
        "Content-Disposition": f'inline; filename="{receipt.number}{"" if lang == "en" else "-" + lang}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return Response(body, media_type="application/pdf", headers=headers)


ROUTES: list[Any] = [page, pdf]
