"""JSON routes of posts."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import QueryParameter

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.gallery.model import PostStatus
from vetrina.gallery.posts import actions, queries
from vetrina.gallery.posts.actions import PostRequest
from vetrina.gallery.presenters import Post, to_response
from vetrina.gallery.queries import ONE


@post("/posts", guards=[signed_in], tags=["gallery"])
async def create(request: Request, data: PostRequest) -> Post:
    """Write a draft of a post. Its pictures are files of the account's library, in this order."""
    async with request.tx() as tx:
        post_id = await actions.create(tx, request.account.id, data)
        return await _own(request, tx, post_id)


@get("/posts", guards=[signed_in], tags=["gallery"])
async def own_posts(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    post_status: Annotated[PostStatus | None, QueryParameter(name="status")] = None,
) -> Page[Post]:
    """Return the account's own posts, the newest first."""
    account = request.account.id
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.MINE, cursor, limit, account=account, viewer=account, status=post_status)
    return page.map(lambda row: to_response(request.services, row))


@get("/posts/{account_id:uuid}/{post_id:uuid}", tags=["gallery"])
async def one(request: Request, account_id: UUID, post_id: UUID) -> Post:
    """Return a post that the caller may see."""
    viewer = request.principal.id if request.principal else None
    async with request.read() as tx:
        return to_response(request.services, await tx.fetch_one(ONE, account=account_id, id=post_id, viewer=viewer))


@patch("/posts/{post_id:uuid}", guards=[signed_in], tags=["gallery"])
async def change(request: Request, post_id: UUID, data: PostRequest) -> Post:
    """Replace what a post says and shows."""
    async with request.tx() as tx:
        await actions.change(tx, request.account.id, post_id, data)
        return await _own(request, tx, post_id)


@post("/posts/{post_id:uuid}/publication", guards=[signed_in], tags=["gallery"])
async def publish(request: Request, post_id: UUID) -> Post:
    """Publish a post. The pictures of a public one become public."""
    async with request.tx() as tx:
        await actions.publish(tx, request.account.id, post_id)
        return await _own(request, tx, post_id)


@delete("/posts/{post_id:uuid}/publication", guards=[signed_in], tags=["gallery"])
async def archive(request: Request, post_id: UUID) -> None:
    """Archive a post: only its owner sees it."""
    async with request.tx() as tx:
        await actions.archive(tx, request.account.id, post_id)


@delete("/posts/{post_id:uuid}", guards=[signed_in], tags=["gallery"])
async def remove(request: Request, post_id: UUID) -> None:
    """Delete a post. It can be restored for 30 days."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id, post_id)


@post("/posts/{post_id:uuid}/restoration", guards=[signed_in], tags=["gallery"])
async def restore(request: Request, post_id: UUID) -> Post:
    """Restore a deleted post."""
    async with request.tx() as tx:
        await actions.restore(tx, request.account.id, post_id)
        return await _own(request, tx, post_id)


async def _own(request: Request, tx: Tx, post_id: UUID) -> Post:
    account = request.account.id
    return to_response(request.services, await tx.fetch_one(ONE, account=account, id=post_id, viewer=account))


ROUTES: list[Any] = [create, own_posts, one, change, publish, archive, remove, restore]
