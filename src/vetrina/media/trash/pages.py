"""Pages of the trash, and deleting from the library."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from vetrina.accounts.storage import actions as storage
from vetrina.core.database import paging
from vetrina.core.database.ids import read_id
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import QUIET, UNCOMPRESSED
from vetrina.media import links
from vetrina.media.delivery import deliver
from vetrina.media.files import picker
from vetrina.media.files import upload_form as uploads
from vetrina.media.trash import actions, queries
from vetrina.web.i18n import count, say

PAGE = 36
"""Images per page of the grid."""


@post("/library/deletion", guards=[signed_in], include_in_schema=False)
async def delete(request: Request) -> Response[Any]:
    """Move the chosen pictures to the trash. The message on the next page undoes it."""
    ids = _ids((await uploads.form_of(request)).getall("id", []))
    async with request.tx() as tx:
        rows = await actions.delete(tx, request.account.id, ids)
    if not rows:
        return pages.redirect("/library", flash=("info", say("Select the pictures to delete first")))
    text = count("{n} picture moved to the trash", "{n} pictures moved to the trash", len(rows))
    undo = pages.Undo("/library/restoration", "deleted_at", rows[0].deleted_at.isoformat())
    return pages.redirect("/library", flash=("good", text), undo=undo)


@post("/library/restoration", guards=[signed_in], include_in_schema=False)
async def restore(request: Request) -> Response[Any]:
    """Restore the chosen pictures, or (field `deleted_at`) what one deletion took."""
    form = await uploads.form_of(request)
    deleted_at = _time(form.get("deleted_at"))
    async with request.tx() as tx:
        if deleted_at is None:
            rows = await actions.restore(tx, request.account.id, _ids(form.getall("id", [])))
        else:
            rows = await actions.undo(tx, request.account.id, deleted_at)
    text = count("{n} picture restored", "{n} pictures restored", len(rows))
    return pages.redirect("/library", flash=("good" if rows else "info", text))


@get("/library/trash", guards=[signed_in], include_in_schema=False)
async def trash(request: Request, cursor: Cursor = None) -> Response[str]:
    """Show the trash, newest pictures first."""
    account = request.account.id
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.LIST, cursor, PAGE, account=account)
        used = await tx.fetch_one(queries.USE, account=account)
        stored = await storage.use(tx, account)
    cards = [
        picker.to_card(request.services, row)
        | {"thumb_url": f"/library/trash/{row.id}/picture", "deleted_at": row.deleted_at, "erased_at": row.erased_at}
        for row in page.items
    ]
    return pages.render(
        request,
        "media/trash/trash.html",
        nav="library",
        files=cards,
        older=page.older("/library/trash"),
        used=used,
        storage=stored,
    )


@get("/library/trash/{file_id:uuid}/picture", guards=[signed_in], include_in_schema=False, opt={**QUIET, **UNCOMPRESSED})
async def picture(request: Request, file_id: UUID) -> Response[Any]:
    """Return the thumbnail of a picture in the trash to its owner; its links are gone. 404 for any other."""
    async with request.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=request.account.id, id=file_id)
    headers = {"Cache-Control": "private, no-cache", "Cross-Origin-Resource-Policy": "same-origin"}
    return await deliver(request, row.account_id, row.id, links.variant_of(row.facts(), links.THUMBNAIL), headers)


@post("/library/trash/deletion", guards=[signed_in], include_in_schema=False)
async def erase(request: Request) -> Response[Any]:
    """Delete the chosen pictures for good, or (field `all`) everything in the trash. Without scripts a page asks first."""
    account = request.account.id
    form = await uploads.form_of(request)
    ids, everything = _ids(form.getall("id", [])), form.get("all") == "1"
    if form.get("confirmed") != "1":
        return pages.render(request, "media/trash/confirm.html", nav="library", ids=ids, everything=everything)
    async with request.tx() as tx:
        erased = await actions.empty(tx, account) if everything else await actions.erase(tx, account, ids)
    text = count("{n} picture deleted for good", "{n} pictures deleted for good", erased)
    return pages.redirect("/library/trash", flash=("good" if erased else "info", text))


def _ids(given: list[Any]) -> list[UUID]:
    """Return the valid ids of a form."""
    return [file_id for item in given[:500] if (file_id := read_id(item))]


def _time(given: object) -> datetime | None:
    """Return the time of a form's field; None if there is none."""
    try:
        return msgspec.convert(given, datetime, strict=False) if isinstance(given, str) else None
    except msgspec.ValidationError:
        return None


ROUTES: list[Any] = [delete, restore, trash, picture, erase]
