"""JSON routes of albums, and of changes to many files at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post, put

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.paging import Page
from vetrina.core.database.records import to_record
from vetrina.core.services import Services
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.public.link_preview import absolute
from vetrina.core.web.request import Request, signed_in
from vetrina.media import links
from vetrina.media.albums import actions, presenters, queries
from vetrina.media.albums.actions import AlbumChange
from vetrina.media.albums.model import FILES_AT_ONCE, AlbumRow
from vetrina.media.links import FileFacts, FileRef

FileIds = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=FILES_AT_ONCE)]


class Album(msgspec.Struct, kw_only=True):
    """An album. `cover` is the chosen picture or the first; `url` is its public page, if it is public and its owner has a handle.

    `image_count` counts private pictures too.
    """

    account_id: UUID
    id: UUID
    slug: str
    name: str
    description: str
    is_public: bool
    image_count: int
    cover: FileRef | None
    cover_file_id: UUID | None
    url: str | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewAlbum(msgspec.Struct, forbid_unknown_fields=True):
    """An album to create."""

    name: str
    description: str = ""


class Pictures(msgspec.Struct, forbid_unknown_fields=True):
    """Files of the account's library."""

    file_ids: FileIds


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """Files to move to another album."""

    file_ids: FileIds
    album_id: UUID


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """The picture that the moved one is placed before; null for the end."""

    before: UUID | None = None


class FilesChange(msgspec.Struct, forbid_unknown_fields=True):
    """A change of many files."""

    file_ids: FileIds
    add_tags: list[str] = []
    remove_tags: list[str] = []
    is_public: bool | None = None


class FileIdList(msgspec.Struct):
    """The files that a request changed."""

    file_ids: list[UUID]


@post("/albums", guards=[signed_in], tags=["albums"])
async def create(request: Request, data: NewAlbum) -> Album:
    """Create a private album of the account's business."""
    account = request.account.id
    async with request.tx() as tx:
        album_id = await actions.create(tx, account, name=data.name, description=data.description)
        return _album(request.services, await actions.one(tx, account, album_id))


@get("/albums", guards=[signed_in], tags=["albums"])
async def albums(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[Album]:
    """List the account's albums, the newest first."""
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.LIST, cursor, limit, account=request.account.id, open=False)
    return page.map(lambda row: _album(request.services, row))


@get("/albums/{album_id:uuid}", guards=[signed_in], tags=["albums"])
async def album(request: Request, album_id: UUID) -> Album:
    """Return an album of the account."""
    async with request.read() as tx:
        return _album(request.services, await actions.one(tx, request.account.id, album_id))


@patch("/albums/{album_id:uuid}", guards=[signed_in], tags=["albums"])
async def change(request: Request, album_id: UUID, data: AlbumChange) -> Album:
    """Rename, describe, publish or hide an album, or choose its cover."""
    account = request.account.id
    async with request.tx() as tx:
        await actions.change(tx, account, album_id, data)
        return _album(request.services, await actions.one(tx, account, album_id))


@delete("/albums/{album_id:uuid}", guards=[signed_in], tags=["albums"])
async def remove_album(request: Request, album_id: UUID) -> None:
    """Delete an album; its pictures stay in the library. It can be restored for 30 days."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id, album_id)


@post("/albums/{album_id:uuid}/restoration", guards=[signed_in], tags=["albums"])
async def restore(request: Request, album_id: UUID) -> Album:
    """Restore a deleted album."""
    account = request.account.id
    async with request.tx() as tx:
        await actions.restore(tx, account, album_id)
        return _album(request.services, await actions.one(tx, account, album_id))


@get("/albums/{album_id:uuid}/files", guards=[signed_in], tags=["albums"])
async def files(request: Request, album_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[FileRef]:
    """List the pictures of an album in their order."""
    async with request.read() as tx:
        row = await actions.one(tx, request.account.id, album_id)
        return await _pictures(request, tx, row, cursor, limit, visitor=False)


@post("/albums/{album_id:uuid}/files", guards=[signed_in], tags=["albums"])
async def add(request: Request, album_id: UUID, data: Pictures) -> FileIdList:
    """Add pictures at the end of an album; return those that were not in it."""
    async with request.tx() as tx:
        return FileIdList(await actions.add(tx, request.account.id, album_id, data.file_ids))


@post("/albums/{album_id:uuid}/removal", guards=[signed_in], tags=["albums"])
async def remove(request: Request, album_id: UUID, data: Pictures) -> FileIdList:
    """Take pictures out of an album; return those that were in it. They stay in the library."""
    async with request.tx() as tx:
        removed = await actions.remove(tx, request.account.id, album_id, data.file_ids)
    return FileIdList([item.file_id for item in removed])


@post("/albums/{album_id:uuid}/moves", guards=[signed_in], tags=["albums"])
async def move(request: Request, album_id: UUID, data: Move) -> FileIdList:
    """Move pictures to the end of another album; return those that were moved."""
    async with request.tx() as tx:
        return FileIdList(await actions.move(tx, request.account.id, album_id, data.album_id, data.file_ids))


@put("/albums/{album_id:uuid}/files/{file_id:uuid}/place", guards=[signed_in], tags=["albums"], status_code=204)
async def place(request: Request, album_id: UUID, file_id: UUID, data: Place) -> None:
    """Move a picture before another one of the album, or to its end."""
    async with request.tx() as tx:
        await actions.place(tx, request.account.id, album_id, file_id, data.before)


@post("/files/changes", guards=[signed_in], tags=["files"])
async def change_files(request: Request, data: FilesChange) -> FileIdList:
    """Tag, publish or hide many files at once; return those that are the account's."""
    async with request.tx() as tx:
        rows = await actions.change_files(
            tx,
            request.account.id,
            data.file_ids,
            add_tags=data.add_tags,
            remove_tags=data.remove_tags,
            is_public=data.is_public,
        )
    return FileIdList([row.id for row in rows])


@get("/public-albums/{account_id:uuid}", tags=["albums"])
async def public_albums(request: Request, account_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[Album]:
    """List an account's public albums, the newest first."""
    async with request.read() as tx:
        await presenters.require_open(request, tx, account_id)
        page = await paging.fetch(tx, queries.LIST, cursor, limit, account=account_id, open=True)
    return page.map(lambda row: _album(request.services, row))


@get("/public-albums/{account_id:uuid}/{album_id:uuid}/files", tags=["albums"])
async def public_files(
    request: Request, account_id: UUID, album_id: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Page[FileRef]:
    """List the public pictures of a public album in their order."""
    async with request.read() as tx:
        await presenters.require_open(request, tx, account_id)
        row = await actions.one(tx, account_id, album_id, visitor=True)
        return await _pictures(request, tx, row, cursor, limit, visitor=True)


async def _pictures(request: Request, tx: Tx, row: AlbumRow, cursor: str | None, limit: int, *, visitor: bool) -> Page[FileRef]:
    rows, after = await actions.pictures(tx, row, presenters.position_of(cursor), limit, visitor=visitor)
    refs = [links.ref(request.services, item.account_id, item.facts()) for item in rows]
    return Page(refs, None if after is None else str(after))


def _album(services: Services, row: AlbumRow) -> Album:
    cover = links.ref(services, row.account_id, msgspec.convert(row.cover, FileFacts)) if row.cover else None
    path = presenters.path(row)
    return to_record(Album, row, cover=cover, url=absolute(services, path) if path else None)


ROUTES: list[Any] = [
    create,
    albums,
    album,
    change,
    remove_album,
    restore,
    files,
    add,
    remove,
    move,
    place,
    change_files,
    public_albums,
    public_files,
]
