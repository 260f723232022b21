"""Pages of the studio: form, generations, history; the landing page with the public gallery."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import Parameter

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound, Refusal, Unauthenticated
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.studio import queries
from vetrina.studio.generations import actions, presenters, publication
from vetrina.studio.model import PublicResult, Status
from vetrina.wallet import queries as wallet
from vetrina.web.i18n import N_, say

WALL = 24
HISTORY = 24
OPENING = 3
"""Images of the public gallery shown beside the title."""
FAVOURITES = "favourites"
TABS: list[tuple[str, str]] = [
    ("", N_("All")),
    (FAVOURITES, N_("Favourites")),
    (Status.PROCESSING, N_("In progress")),
    (Status.PENDING, N_("Waiting")),
    (Status.COMPLETED, N_("Finished")),
    (Status.FAILED, N_("Failed")),
    (Status.CANCELLED, N_("Cancelled")),
]


@get("/", include_in_schema=False)
async def landing(request: Request, cursor: Cursor = None) -> Response[str]:
    """Render the landing page with the public gallery."""
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.WALL, cursor, WALL, key=lambda row: UUID(row.file["id"]))
        opening = await _opening(tx, page.items if not cursor else None)
        gift = await tx.fetch_one(wallet.WELCOME)
        posts = await _posts(request, tx) if not cursor else []
    opening_ids = {row.file["id"] for row in opening}
    below = [row for row in page.items if row.file["id"] not in opening_ids]
    in_posts = {str(post["file_id"]) for post in posts}
    pictures = [
        *(presenters.public_image(request.services, row) for row in opening),
        *(post for post in posts if str(post["file_id"]) not in opening_ids),
        *(presenters.public_image(request.services, row) for row in below if row.file["id"] not in in_posts),
    ]
    preview = presenters.site_preview(request.services, (opening or page.items)[:1])
    return pages.render(
        request,
        "studio/generations/landing.html",
        wall=pictures,
        older=page.older("/"),
        free_tokens=gift,
        wall_link="#wall",
        preview=preview,
    )


@get("/pictures/{account_id:uuid}/{generation_id:uuid}", include_in_schema=False)
async def picture(request: Request, account_id: UUID, generation_id: UUID) -> Response[str]:
    """Render a public image."""
    async with request.read() as tx:
        row = await tx.fetch_optional(queries.HUNG, account=account_id, id=generation_id)
        if row is None:
            raise NotFound
        await request.require_visible(tx, account_id)
    preview = presenters.link_preview(request.services, row)
    return pages.render(
        request,
        "studio/generations/picture.html",
        picture=presenters.public_picture(request.services, row),
        style_href=f"/studio?style={row.style_name}",
        preview=preview,
        address=preview.url,
    )


@get("/studio/generations", guards=[signed_in], include_in_schema=False)
async def history(
    request: Request, cursor: Cursor = None, status: str | None = Parameter(default=None, max_length=16)
) -> Response[str]:
    """Render the history, newest first."""
    chosen = status if status in {FAVOURITES, *(item.value for item in Status)} else ""
    account = request.account.id
    async with request.read() as tx:
        if chosen == FAVOURITES:
            page = await paging.fetch(tx, queries.FAVOURITES, cursor, HISTORY, account=account)
        elif chosen:
            page = await paging.fetch(tx, queries.HISTORY_BY_STATUS, cursor, HISTORY, account=account, status=chosen)
        else:
            page = await paging.fetch(tx, queries.HISTORY, cursor, HISTORY, account=account)
        counts = {item.status: item.count for item in await tx.fetch_all(queries.COUNTS, account=account)}
    return pages.render(
        request,
        "studio/generations/history.html",
        nav="history",
        tabs=[
            {"status": str(value), "title": say(title), "count": counts.get(str(value)) if value else None}
            for value, title in TABS
            if not value or value in {Status.COMPLETED, FAVOURITES, chosen} or counts.get(str(value))
        ],
        state=chosen,
        generations=[presenters.tile(request.services, row) for row in page.items],
        older=page.older("/studio/generations", {"status": chosen}),
    )


@get("/studio/generations/{generation_id:uuid}", guards=[signed_in], include_in_schema=False)
async def one(request: Request, generation_id: UUID) -> Response[str]:
    """Render one generation."""
    async with request.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=request.account.id, id=generation_id)
    context = presenters.generation(request.services, row)
    return pages.render(request, "studio/generations/generation.html", nav="history", **context)


@post("/studio/generations/{generation_id:uuid}/cancellation", guards=[signed_in], include_in_schema=False)
async def cancel(request: Request, generation_id: UUID) -> Response[Any]:
    """Cancel a generation."""
    here = f"/studio/generations/{generation_id}"
    try:
        async with request.tx() as tx:
            await actions.cancel(tx, request.account.id, generation_id)
    except actions.GenerationEnded as ended:
        return pages.redirect(here, flash=("info", ended.message))
    return pages.redirect(here)


@post("/studio/generations/{generation_id:uuid}/retry", guards=[signed_in], include_in_schema=False)
async def retry(request: Request, generation_id: UUID) -> Response[Any]:
    """Start a generation again."""
    account = request.account
    try:
        started = await actions.retry(request.services, account.id, account.session_id, generation_id)
    except (Unauthenticated, NotFound):
        raise
    except Refusal as refused:
        return pages.redirect(f"/studio/generations/{generation_id}", flash=("bad", refused.message))
    return pages.redirect(f"/studio/generations/{started.id}")


@post("/studio/generations/{generation_id:uuid}/sharing", guards=[signed_in], include_in_schema=False)
async def share(request: Request, generation_id: UUID) -> Response[Any]:
    """Publish the results, or withdraw them."""
    form_data = await request.form()
    path = f"/studio/generations/{generation_id}"
    async with request.tx() as tx:
        if (before := read_id(form_data.get("before"))) is not None:
            is_public = form_data.get("before_is_public") == "true"
            await publication.share_source(tx, request.account.id, generation_id, before, is_public=is_public)
            text = say("The photograph before is public now.") if is_public else say("The photograph before is private again.")
        else:
            is_public = form_data.get("is_public") == "true"
            await publication.share(tx, request.account.id, generation_id, is_public=is_public)
            text = say("The picture is public now.") if is_public else say("The picture is private again.")
    return pages.redirect(path, flash=("good", text))


async def _posts(request: Request, tx: Tx) -> list[dict[str, Any]]:
    """Return the cards that an upper module adds to the wall."""
    wall = request.services.modules.wall
    return await wall(request.services, tx, request.principal.id if request.principal else None) if wall else []


async def _opening(tx: Tx, newest: list[PublicResult] | None) -> list[PublicResult]:
    """Return the images beside the title: those that operators chose, filled up with the newest."""
    chosen = await tx.fetch_all(queries.FEATURED, limit=OPENING)
    if len(chosen) == OPENING:
        return chosen
    if newest is None:
        newest = await tx.fetch_all(queries.WALL, before=paging.FIRST, limit=2 * OPENING)
    ids = {row.file["id"] for row in chosen}
    return [*chosen, *(row for row in newest if row.file["id"] not in ids)][:OPENING]


ROUTES: list[Any] = [landing, picture, history, one, cancel, retry, share]
