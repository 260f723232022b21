"""JSON route of the signed-in account."""

from __future__ import annotations

from typing import Any

from litestar import get

from vetrina.accounts import queries as account_queries
from vetrina.accounts.model import AccountRow
from vetrina.accounts.sessions import actions as sessions
from vetrina.core.web.request import Request, signed_in


@get("/me", guards=[signed_in], tags=["accounts"])
async def me(request: Request) -> AccountRow:
    """Return the account that sends the request. 401 when its session has ended."""
    async with request.read() as tx:
        await sessions.require_live(tx, request.account.id, request.account.session_id)
        return await tx.fetch_one(account_queries.ACCOUNT, account=request.account.id)


ROUTES: list[Any] = [me]
