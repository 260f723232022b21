"""JSON routes of lists of posts."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import get
from litestar.params import Parameter

from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.gallery.presenters import Post, to_response
from vetrina.gallery.wall import actions
from vetrina.gallery.wall.actions import Order

Words = Annotated[str | None, Parameter(max_length=100)]


@get("/wall", tags=["gallery"])
async def wall(
    request: Request, limit: Limit = 50, cursor: Cursor = None, order: Order = "new", tag: Words = None, q: Words = None
) -> Page[Post]:
    """Return public posts, the newest first or those liked most within a week; with `tag` or `q` those that match."""
    async with request.read() as tx:
        page = await actions.wall(tx, viewer_of(request), cursor, limit, order=order, tag=tag, q=q)
    return page.map(lambda row: to_response(request.services, row))


@get("/feed", guards=[signed_in], tags=["gallery"])
async def feed(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[Post]:
    """Return the posts of the accounts that the caller follows, the newest first, with all pictures."""
    async with request.read() as tx:
        page = await actions.feed(tx, request.account.id, cursor, limit)
    return page.map(lambda row: to_response(request.services, row))


@get("/accounts/{account_id:uuid}/posts", tags=["gallery"])
async def of_account(request: Request, account_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[Post]:
    """Return an account's published posts that the caller may see, the newest first."""
    async with request.read() as tx:
        page = await actions.of_account(tx, viewer_of(request), account_id, cursor, limit)
    return page.map(lambda row: to_response(request.services, row))


def viewer_of(request: Request) -> UUID | None:
    """Return the account of the request, if it has one."""
    return request.principal.id if request.principal else None


ROUTES: list[Any] = [wall, feed, of_account]
