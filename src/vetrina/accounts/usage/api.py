"""JSON route of an account's usage."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import Parameter

from vetrina.core import usage
from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.usage import UsageRow
from vetrina.core.web.moments import Moment, moment
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in


@get("/usage", guards=[signed_in], tags=["accounts"])
async def list_usage(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    action: Annotated[str | None, Parameter(max_length=64)] = None,
    since: Moment = None,
    until: Moment = None,
) -> Page[UsageRow]:
    """Return the account's actions, the newest first, by action and time."""
    async with request.read() as tx:
        return await paging.fetch(
            tx,
            usage.LIST,
            cursor,
            limit,
            account=request.account.id,
            action=action,
            since=moment("since", since),
            until=moment("until", until),
        )


ROUTES: list[Any] = [list_usage]
