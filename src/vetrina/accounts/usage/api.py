"""JSON route of an account's usage."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import Parameter

from vetrina.core import usage
from vetrina.core.usage import UsageRow
from vetrina.core.web import paging
from vetrina.core.web.moments import Moment, moment
from vetrina.core.web.paging import Cursor, Limit, Page
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
        rows = await tx.fetch_all(
            usage.LIST,
            account=request.account.id,
            before=paging.after(cursor),
            action=action,
            since=moment("since", since),
            until=moment("until", until),
            limit=limit + 1,
        )
    return paging.page(rows, limit, lambda row: row.id, lambda row: row)


ROUTES: list[Any] = [list_usage]
