"""JSON routes of operators' notes, and the operators' search."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import Parameter

from vetrina.accounts.operator import find, notes
from vetrina.accounts.operator.model import Note
from vetrina.accounts.roles.guards import operator
from vetrina.core.database.paging import Page
from vetrina.core.module import SearchGroup
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request


class NewNote(msgspec.Struct, forbid_unknown_fields=True):
    """A note of up to 2,000 characters."""

    text: str


@get("/operator/accounts/{account_id:uuid}/notes", guards=[operator], tags=["operator"])
async def list_notes(request: Request, account_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[Note]:
    """Return operators' notes on an account, the newest first."""
    async with request.read() as tx:
        return await notes.list_notes(tx, account_id, cursor, limit)


@post("/operator/accounts/{account_id:uuid}/notes", guards=[operator], tags=["operator"])
async def add_note(request: Request, account_id: UUID, data: NewNote) -> Page[Note]:
    """Add a note and return the newest ones. Notes cannot be changed."""
    async with request.tx() as tx:
        await notes.add(tx, request.account.id, account_id, data.text)
        return await notes.list_notes(tx, account_id, None, 50)


@get("/operator/search", guards=[operator], tags=["operator"])
async def search(
    request: Request,
    q: Annotated[
        str,
        Parameter(
            max_length=254,
            description="An id of anything, a reference or receipt number, or a prefix of an address, phone, handle or name.",
        ),
    ] = "",
) -> Page[SearchGroup]:
    """Search accounts, payments, Stripe events, pictures and generations; exact hits come first."""
    return Page(await find.search(request.services, q), None)


ROUTES: list[Any] = [list_notes, add_note, search]
