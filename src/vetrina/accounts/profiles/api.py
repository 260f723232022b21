"""JSON route of the signed-in account."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get

from vetrina.accounts import queries as account_queries
from vetrina.accounts.model import AccountRow
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import StorageUse
from vetrina.core.web.request import Request, signed_in


class Me(AccountRow, frozen=True, kw_only=True):
    """The signed-in account."""

    storage: StorageUse


@get("/me", guards=[signed_in], tags=["accounts"])
async def me(request: Request) -> Me:
    """Return the account that sends the request, with its storage. 401 when its session has ended."""
    async with request.read() as tx:
        await sessions.require_live(tx, request.account.id, request.account.session_id)
        row = await tx.fetch_one(account_queries.ACCOUNT, account=request.account.id)
        return Me(**msgspec.structs.asdict(row), storage=await storage.use(tx, request.account.id))


ROUTES: list[Any] = [me]
