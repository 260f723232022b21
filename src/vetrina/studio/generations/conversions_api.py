"""JSON routes of conversions."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post

from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.studio.generations import conversions, queries
from vetrina.studio.generations.model import Conversion, ConversionRequest, StartedConversion


@post("/conversions", guards=[signed_in], tags=["studio"], opt=limited("generations"))
async def start(request: Request, data: ConversionRequest) -> StartedConversion:
    """Convert one picture of the library into a style, as a generation.

    Free conversions pay first, then the plan's, then tokens if `use_tokens` is set. 402 with the reset date if nothing is left.
    The same Idempotency-Key returns the same conversion.
    """
    account = request.account
    return await conversions.start(request.services, account.id, account.session_id, data, key=request.idempotency_key)


@get("/conversions", guards=[signed_in], tags=["studio"])
async def history(request: Request, limit: Limit = 24, cursor: Cursor = None) -> Page[Conversion]:
    """Return the account's conversions, newest first: every generation that was made from a picture."""
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.HISTORY, cursor, limit, account=request.account.id)
    return page.map(lambda row: conversions.to_response(request.services, row))


@get("/conversions/{conversion_id:uuid}", guards=[signed_in], tags=["studio"])
async def one(request: Request, conversion_id: UUID) -> Conversion:
    """Return one conversion."""
    async with request.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=request.account.id, id=conversion_id)
    return conversions.to_response(request.services, row)


ROUTES = [start, history, one]
