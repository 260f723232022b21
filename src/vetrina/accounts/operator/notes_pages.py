"""The operators' search page, and the form of notes on an account's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Response, get, post

from vetrina.accounts.operator import find, notes
from vetrina.accounts.operator.pages import render_account
from vetrina.accounts.roles.guards import operator
from vetrina.core.database.connection import Tx
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.web.i18n import say

SHOWN = 20


@get("/operator/search", guards=[operator], include_in_schema=False)
async def search(request: Request, q: str = "") -> Response[str]:
    """Search everything that operators look for."""
    text = q.strip()[:254]
    groups = await find.search(request.services, text)
    return pages.render(request, "accounts/operator/search.html", nav="operator", q=text, quoted=quote(text), groups=groups)


@post("/operator/accounts/{account_id:uuid}/notes", guards=[operator], include_in_schema=False)
async def add_note(request: Request, account_id: UUID, data: Form) -> Response[Any]:
    """Add a note to an account."""
    try:
        async with request.tx() as tx:
            await notes.add(tx, request.account.id, account_id, data.get("text", ""))
    except Refusal as refusal:
        return await render_account(request, account_id, values=data, refusal=refusal)
    return pages.redirect(f"/operator/accounts/{account_id}", flash=("good", say("The note is added.")))


async def section(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Return the newest notes for the account's page."""
    return {"notes": (await notes.list_notes(tx, account_id, None, SHOWN)).items, "length": notes.LENGTH}


ROUTES: list[Any] = [search, add_note]
