"""JSON routes of likes and comments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put

from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.gallery.model import COMMENT_LENGTH, CommentRow
from vetrina.gallery.queries import ONE
from vetrina.gallery.reactions import actions, queries

_POST = "/posts/{account_id:uuid}/{post_id:uuid}"


class CommentRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A comment to write; with `parent_account_id` and `parent_id` an answer to that comment."""

    body: Annotated[str, msgspec.Meta(min_length=1, max_length=COMMENT_LENGTH)]
    parent_account_id: UUID | None = None
    parent_id: UUID | None = None


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment. `account_id` is its author's."""

    account_id: UUID
    id: UUID
    parent_account_id: UUID | None
    parent_id: UUID | None
    body: str
    author: str | None
    handle: str | None
    created_at: datetime


@put(_POST + "/like", status_code=204, guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def like(request: Request, account_id: UUID, post_id: UUID) -> None:
    """Like a post. Repeating it changes nothing."""
    await actions.like(request.services, request.account.id, account_id, post_id)


@delete(_POST + "/like", guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def unlike(request: Request, account_id: UUID, post_id: UUID) -> None:
    """Take a like back. Repeating it changes nothing."""
    await actions.unlike(request.services, request.account.id, account_id, post_id)


@get(_POST + "/comments", tags=["gallery"])
async def comments(request: Request, account_id: UUID, post_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[Comment]:
    """Return the comments of a post, the newest first. An answer names its comment."""
    viewer = request.principal.id if request.principal else None
    async with request.read() as tx:
        await tx.fetch_one(ONE, account=account_id, id=post_id, viewer=viewer)
        page = await paging.fetch(tx, queries.COMMENTS, cursor, limit, account=account_id, id=post_id, viewer=viewer)
    return page.map(_to_response)


@post(_POST + "/comments", guards=[signed_in], tags=["gallery"], opt=limited("comments"))
async def comment(request: Request, account_id: UUID, post_id: UUID, data: CommentRequest) -> Comment:
    """Comment on a post, or answer a comment. An answer to an answer stands under the first comment."""
    account = request.account.id
    parent = (data.parent_account_id, data.parent_id) if data.parent_account_id and data.parent_id else None
    async with request.tx() as tx:
        comment_id = await actions.comment(tx, account, account_id, post_id, data.body, parent)
        return _to_response(await tx.fetch_one(queries.COMMENT, account=account, id=comment_id))


@delete("/comments/{account_id:uuid}/{comment_id:uuid}", guards=[signed_in], tags=["gallery"])
async def delete_comment(request: Request, account_id: UUID, comment_id: UUID) -> None:
    """Delete a comment with its answers: its author and the post's owner may."""
    async with request.tx() as tx:
        await actions.delete_comment(tx, request.account.id, account_id, comment_id)


def _to_response(row: CommentRow) -> Comment:
    return msgspec.convert(row, Comment, from_attributes=True)


ROUTES: list[Any] = [like, unlike, comments, comment, delete_comment]
