"""Pages of an account's own albums: the list, one album with its order, changes of many pictures."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.response import Stream

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound, Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED
from vetrina.media.albums import actions, presenters, queries
from vetrina.media.albums.actions import AlbumChange
from vetrina.media.albums.archive import Archive
from vetrina.media.albums.model import DESCRIPTION_LENGTH, FILES_AT_ONCE, NAME_LENGTH, AlbumFileRow, AlbumRow
from vetrina.media.files import picker
from vetrina.media.files import upload_form as uploads
from vetrina.media.files.names import content_disposition
from vetrina.web.i18n import count, say

ALBUMS, PICTURES, CHOICES, TARGETS = 24, 60, 48, 100
"""Albums, pictures, offered pictures of a page, and albums in the list to move to."""


@get("/albums", guards=[signed_in], include_in_schema=False)
async def albums(request: Request, cursor: Cursor = None) -> Response[str]:
    """Show the account's albums."""
    return await _list(request, cursor)


@post("/albums", guards=[signed_in], include_in_schema=False)
async def create(request: Request, data: Form) -> Response[Any]:
    """Create an album and open it."""
    try:
        async with request.tx() as tx:
            name, description = data.get("name", ""), data.get("description", "")
            album_id = await actions.create(tx, request.account.id, name=name, description=description)
    except Refusal as refusal:
        return await _list(request, None, data, refusal)
    return pages.redirect(f"/albums/{album_id}/choices", flash=("good", say("The album is created. Choose its pictures.")))


@get("/albums/{album_id:uuid}", guards=[signed_in], include_in_schema=False)
async def album(request: Request, album_id: UUID, cursor: Cursor = None) -> Response[str]:
    """Show an album with what its owner can change."""
    return await _album(request, album_id, cursor)


@post("/albums/{album_id:uuid}", guards=[signed_in], include_in_schema=False)
async def save(request: Request, album_id: UUID, data: Form) -> Response[Any]:
    """Save name, description and visibility."""
    change = AlbumChange(
        name=data.get("name", ""),
        description=data.get("description", ""),
        is_public="is_public" in data,
        with_pictures="with_pictures" in data,
    )
    try:
        async with request.tx() as tx:
            await actions.change(tx, request.account.id, album_id, change)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _album(request, album_id, None, data, refusal)
    return pages.redirect(f"/albums/{album_id}", flash=("good", say("Saved")))


@post("/albums/{album_id:uuid}/deletion", guards=[signed_in], include_in_schema=False)
async def delete(request: Request, album_id: UUID) -> Response[str]:
    """Delete an album, and offer to restore it."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id, album_id)
    return _undo(request, say("The album is deleted. Its pictures stay in your library."), f"/albums/{album_id}/restoration")


@post("/albums/{album_id:uuid}/restoration", guards=[signed_in], include_in_schema=False)
async def restore(request: Request, album_id: UUID) -> Response[Any]:
    """Restore a deleted album."""
    async with request.tx() as tx:
        await actions.restore(tx, request.account.id, album_id)
    return pages.redirect(f"/albums/{album_id}", flash=("good", say("Restored")))


@get("/albums/{album_id:uuid}/choices", guards=[signed_in], include_in_schema=False)
async def choices(request: Request, album_id: UUID, cursor: Cursor = None) -> Response[str]:
    """Show pictures of the library that are not in the album."""
    account = request.account.id
    async with request.read() as tx:
        row = await actions.one(tx, account, album_id)
        page = await paging.fetch(tx, queries.CHOICES, cursor, CHOICES, account=account, album=album_id)
    return pages.render(
        request,
        "media/albums/choices.html",
        nav="albums",
        album=row,
        pictures=[picker.to_card(request.services, item) for item in page.items],
        older=page.older(f"/albums/{album_id}/choices"),
    )


@post("/albums/{album_id:uuid}/files", guards=[signed_in], include_in_schema=False)
async def add(request: Request, album_id: UUID) -> Response[Any]:
    """Add chosen pictures; with `position` fields beside the ids, where they were before a removal."""
    form = await uploads.form_of(request)
    ids = _ids(form)
    positions = [presenters.position_of(str(item)) for item in form.getall("position", [])]
    async with request.tx() as tx:
        added = await actions.add(tx, request.account.id, album_id, ids, positions)
    message = count("{n} picture added", "{n} pictures added", len(added))
    return pages.redirect(f"/albums/{album_id}", flash=("good", message))


@post("/albums/{album_id:uuid}/files/{file_id:uuid}/place", guards=[signed_in], include_in_schema=False)
async def place(request: Request, album_id: UUID, file_id: UUID, data: Form) -> Response[Any]:
    """Move a picture before another one (field `before`), or to the end."""
    async with request.tx() as tx:
        await actions.place(tx, request.account.id, album_id, file_id, read_id(data.get("before")))
    return pages.redirect(f"/albums/{album_id}#picture-{file_id}")


@post("/albums/{album_id:uuid}/changes", guards=[signed_in], include_in_schema=False)
async def change_pictures(request: Request, album_id: UUID) -> Response[Any]:
    """Do with the chosen pictures what the field `act` says: cover, remove, move, tag, publish or hide."""
    form, account = await uploads.form_of(request), request.account.id
    ids, act = _ids(form), str(form.get("act") or "")
    if not ids:
        return pages.redirect(f"/albums/{album_id}", flash=("info", say("Select pictures first")))
    try:
        async with request.tx() as tx:
            if act == "remove":
                removed = await actions.remove(tx, account, album_id, ids)
                text = count("{n} picture is out of the album", "{n} pictures are out of the album", len(removed))
                return _undo(request, text, f"/albums/{album_id}/files", removed)
            number = await _change(tx, request, album_id, ids, act, form)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _album(request, album_id, None, None, refusal)
    return pages.redirect(f"/albums/{album_id}", flash=("good", count("{n} picture changed", "{n} pictures changed", number)))


@get("/albums/{album_id:uuid}/album.zip", guards=[signed_in], include_in_schema=False, opt=UNCOMPRESSED)
async def download(request: Request, album_id: UUID) -> Stream:
    """Return the album's originals as a ZIP, for its owner."""
    async with request.read() as tx:
        row = await actions.one(tx, request.account.id, album_id)
        files = await tx.fetch_all(queries.ALL_FILES, account=request.account.id, album=album_id)
    archive = Archive(request.services.storage, files)
    headers = {
        "Content-Length": str(archive.size),
        "Content-Disposition": content_disposition(f"{row.slug}.zip", "application/zip"),
        "Cache-Control": "no-store",
    }
    return Stream(archive.chunks(), media_type="application/zip", headers=headers)


async def _change(tx: Tx, request: Request, album_id: UUID, ids: list[UUID], act: str, form: FormMultiDict) -> int:
    account = request.account.id
    if act == "cover":
        await actions.change(tx, account, album_id, AlbumChange(cover_file_id=ids[0]))
        return 1
    if act == "move":
        target = read_id(form.get("album"))
        if target is None:
            raise NotFound
        return len(await actions.move(tx, account, album_id, target, ids))
    tags = [item for item in str(form.get("tags") or "").split(",") if item.strip()] if act == "tag" else []
    is_public = {"publish": True, "hide": False}.get(act)
    return len(await actions.change_files(tx, account, ids, add_tags=tags, is_public=is_public))


async def _list(
    request: Request, cursor: str | None, data: dict[str, str] | None = None, refusal: Refusal | None = None
) -> Response[str]:
    account = request.account.id
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.LIST, cursor, ALBUMS, account=account, open=False)
        is_business = await tx.fetch_one(queries.IS_BUSINESS, account=account)
    return pages.render(
        request,
        "media/albums/albums.html",
        refusal=refusal,
        fields=("name", "description"),
        nav="albums",
        albums=[presenters.card(request.services, row) for row in page.items],
        older=page.older("/albums"),
        is_business=is_business,
        values=data or {},
        name_length=NAME_LENGTH,
        description_length=DESCRIPTION_LENGTH,
    )


async def _album(
    request: Request,
    album_id: UUID,
    cursor: str | None,
    data: dict[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response[str]:
    account = request.account.id
    async with request.read() as tx:
        row = await actions.one(tx, account, album_id)
        rows, after = await actions.pictures(tx, row, presenters.position_of(cursor), PICTURES)
        targets = (await paging.fetch(tx, queries.LIST, None, TARGETS, account=account, open=False)).items
    return pages.render(
        request,
        "media/albums/album.html",
        refusal=refusal,
        fields=("name", "description", "tags"),
        nav="albums",
        album=row,
        path=presenters.path(row),
        values=data or {"name": row.name, "description": row.description},
        pictures=[_picture(request, row, item) for item in rows],
        older=f"/albums/{album_id}?{urlencode({'cursor': after})}" if after is not None else None,
        targets=[item for item in targets if item.id != album_id],
        name_length=NAME_LENGTH,
        description_length=DESCRIPTION_LENGTH,
    )


def _picture(request: Request, row: AlbumRow, item: AlbumFileRow) -> dict[str, Any]:
    return {
        **picker.to_card(request.services, item),
        "is_cover": item.id == row.cover_file_id,
        "previous_id": item.previous_id,
        "after_next_id": item.after_next_id,
        "is_last": item.is_last,
    }


def _undo(request: Request, title: str, action: str, removed: Any = ()) -> Response[str]:
    return pages.render(request, "media/albums/undo.html", nav="albums", title=title, action=action, removed=removed)


def _ids(form: FormMultiDict) -> list[UUID]:
    return [file_id for item in form.getall("id", [])[:FILES_AT_ONCE] if (file_id := read_id(item))]


ROUTES: list[Any] = [
    albums,
    create,
    album,
    save,
    delete,
    restore,
    choices,
    add,
    place,
    change_pictures,
    download,
]
