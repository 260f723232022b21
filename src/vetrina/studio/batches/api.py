"""JSON routes of batches."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import get, post
from litestar.openapi.spec import Example
from litestar.params import Body

from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.studio.batches import actions
from vetrina.studio.batches.actions import Batch, BatchQuote, BatchRequest

_FILE, _OTHER = "0199f2a0-6c1e-7c4b-9d0e-5b7f1a2c3d4e", "0199f2a0-6c1e-7c4b-9d0e-5b7f1a2c3d4f"
EXAMPLES = [
    Example("Variations", value={"kind": "seeds", "style_name": "watercolour", "product_files": [_FILE], "count": 4, "seed": 7}),
    Example("One of each photograph", value={"kind": "pictures", "style_name": "linocut", "product_files": [_FILE, _OTHER]}),
    Example(
        "A contact sheet", value={"kind": "styles", "styles": ["oil", "comic", "poster"], "product_files": [_FILE], "total": 3}
    ),
]
Data = Annotated[BatchRequest, Body(examples=EXAMPLES)]


@post("/batches", guards=[signed_in], tags=["studio"], opt=limited("generations"))
async def start(request: Request, data: Data) -> Batch:
    """Start several generations together: all of them or, if the balance or the queue does not take all, none.

    Each is charged, makes progress, and is refunded on its own. The same Idempotency-Key returns the same batch. 402 with
    `affordable`, the number that the balance covers, if there are not enough credits; 409 if `total` is not the price.
    """
    account = request.account
    return await actions.start(request.services, account.id, account.session_id, data, key=request.idempotency_key)


@post("/batches/quote", guards=[signed_in], status_code=200, tags=["studio"])
async def quote(request: Request, data: Data) -> BatchQuote:
    """Return what a batch would cost, and the balance before and after it. Nothing is started."""
    async with request.read() as tx:
        return await actions.quote(request.services, tx, request.account.id, data)


@get("/batches/{batch_id:uuid}", guards=[signed_in], tags=["studio"])
async def one(request: Request, batch_id: UUID) -> Batch:
    """Return a batch with its generations in order."""
    async with request.read() as tx:
        return await actions.load(request.services, tx, request.account.id, batch_id)


@post("/batches/{batch_id:uuid}/cancellation", guards=[signed_in], status_code=200, tags=["studio"])
async def cancel(request: Request, batch_id: UUID) -> Batch:
    """Cancel the generations of a batch that have not ended; their credits are returned."""
    async with request.tx() as tx:
        await actions.cancel(tx, request.account.id, batch_id)
        return await actions.load(request.services, tx, request.account.id, batch_id)


ROUTES: list[Any] = [start, quote, one, cancel]
