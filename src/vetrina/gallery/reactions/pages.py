"""The page of a post with its likes and comments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.core.database import paging
from vetrina.core.database.ids import read_id
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.gallery import presenters
from vetrina.gallery.model import CommentLength
from vetrina.gallery.posts.text import rich_text
from vetrina.gallery.queries import ONE
from vetrina.gallery.reactions import actions, queries
from vetrina.web.i18n import say

COMMENTS = 50
"""Comments of a page."""
_POST = "/posts/{account_id:uuid}/{post_id:uuid}"


@get("/posts/{account_id:uuid}/{post_id:uuid}", include_in_schema=False)
async def one(request: Request, account_id: UUID, post_id: UUID, cursor: Cursor = None) -> Response[str]:
    """Show a post with its comments."""
    return await show(request, account_id, post_id, cursor)


async def show(
    request: Request,
    account_id: UUID,
    post_id: UUID,
    cursor: str | None = None,
    *,
    refusal: Refusal | None = None,
    body: str = "",
) -> Response[str]:
    """Render a post. Raises NotFound (404) for one that the reader may not see."""
    services, viewer = request.services, request.principal.id if request.principal else None
    async with request.read() as tx:
        row = await tx.fetch_one(ONE, account=account_id, id=post_id, viewer=viewer)
        page = await paging.fetch(tx, queries.COMMENTS, cursor, COMMENTS, account=account_id, id=post_id, viewer=viewer)
    first = [item for item in page.items if item.parent_id is None]
    answers = {item.id: [answer for answer in reversed(page.items) if answer.parent_id == item.id] for item in first}
    preview = presenters.link_preview(services, row)
    return pages.render(
        request,
        "gallery/reactions/post.html",
        refusal=refusal,
        nav="posts" if viewer == account_id else "",
        post=row,
        title=presenters.title(row),
        text=rich_text(row.body),
        images=presenters.images(services, row),
        href=presenters.path(row),
        mine=viewer == account_id,
        reader=viewer,
        comments=first,
        answers=answers,
        older=page.older(presenters.path(row)),
        typed=body,
        preview=preview,
        oembed=preview.url if preview else None,
    )


@post(_POST + "/like", guards=[signed_in], include_in_schema=False, opt=limited("reactions"))
async def like(request: Request, account_id: UUID, post_id: UUID, data: Form) -> Redirect:
    """Like a post, or (field `undo`) take the like back."""
    action = actions.unlike if data.get("undo") else actions.like
    await action(request.services, request.account.id, account_id, post_id)
    return pages.redirect(f"/posts/{account_id}/{post_id}#reactions")


@post(_POST + "/comments", guards=[signed_in], include_in_schema=False, opt=limited("comments"))
async def comment(request: Request, account_id: UUID, post_id: UUID, data: Form) -> Response[Any]:
    """Comment on a post, or answer a comment."""
    account, parent = read_id(data.get("parent_account_id")), read_id(data.get("parent_id"))
    try:
        async with request.tx() as tx:
            await actions.comment(
                tx,
                request.account.id,
                account_id,
                post_id,
                data.get("body", ""),
                (account, parent) if account and parent else None,
            )
    except CommentLength as refusal:
        return await show(request, account_id, post_id, refusal=refusal, body=data.get("body", ""))
    return pages.redirect(f"/posts/{account_id}/{post_id}#comments")


@post(
    _POST + "/comments/{author_id:uuid}/{comment_id:uuid}/deletion",
    guards=[signed_in],
    include_in_schema=False,
)
async def delete_comment(request: Request, account_id: UUID, post_id: UUID, author_id: UUID, comment_id: UUID) -> Redirect:
    """Delete a comment."""
    async with request.tx() as tx:
        await actions.delete_comment(tx, request.account.id, author_id, comment_id)
    return pages.redirect(f"/posts/{account_id}/{post_id}#comments", flash=("good", say("Deleted")))


ROUTES: list[Any] = [one, like, comment, delete_comment]
