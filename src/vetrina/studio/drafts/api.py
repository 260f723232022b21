"""JSON routes of the draft."""

from __future__ import annotations

from typing import Any

from litestar import delete, get, put

from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.studio.drafts import actions
from vetrina.studio.drafts.actions import Draft, DraftRequest


@get("/studio/draft", guards=[signed_in], tags=["studio"])
async def load(request: Request) -> Draft:
    """Return the account's draft: what was entered in the studio and not started yet. 404 without one."""
    async with request.read() as tx:
        return await actions.current(tx, request.account.id)


@put("/studio/draft", guards=[signed_in], tags=["studio"], opt=limited("drafts"))
async def save(request: Request, data: DraftRequest) -> Draft:
    """Save the account's draft in place of an earlier one. Nothing in it has to be complete."""
    async with request.tx() as tx:
        await actions.save(request.services, tx, request.account.id, data)
        return await actions.current(tx, request.account.id)


@delete("/studio/draft", guards=[signed_in], tags=["studio"])
async def remove(request: Request) -> None:
    """Delete the account's draft."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id)


ROUTES: list[Any] = [load, save, remove]
