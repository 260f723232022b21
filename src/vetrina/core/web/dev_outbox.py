"""A development site's outbox: mail and SMS that were not sent."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import Parameter

from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.core.messages import outbox
from vetrina.core.messages.outbox import OutboxRow
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request

To = Annotated[str | None, Parameter(max_length=320, description="Only what went to this address or number.")]


@get("/api/v1/outbox", tags=["development"])
async def letters(request: Request, limit: Limit = 50, cursor: Cursor = None, to: To = None) -> Page[OutboxRow]:
    """List stored mail and SMS, newest first. 404 unless the site is in development mode."""
    return await _page(request, limit, cursor, to)


@get("/outbox", include_in_schema=False)
async def show(request: Request, cursor: Cursor = None, to: str = "") -> Response[str]:
    """Show stored mail and SMS."""
    page = await _page(request, 30, cursor, to or None)
    return pages.render(request, "outbox.html", letters=page.items, older=page.older("/outbox", {"to": to}), to=to)


async def _page(request: Request, limit: int, cursor: str | None, to: str | None) -> Page[OutboxRow]:
    if not request.services.settings.development:
        raise NotFound
    async with request.read() as tx:
        return await paging.fetch(tx, outbox.LIST, cursor, limit, to=to)


ROUTES: list[Any] = [letters, show]
