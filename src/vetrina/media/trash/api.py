"""JSON routes of the trash."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.media.files.api import File, to_file
from vetrina.media.model import Category
from vetrina.media.trash import actions, queries
from vetrina.media.trash.model import TrashUse


class TrashedFile(msgspec.Struct, kw_only=True):
    """A file in the trash. It is shown and served nowhere; after `erased_at` it is deleted for good."""

    id: UUID
    category: Category
    file_name: str
    width: int
    height: int
    bytes: int
    deleted_at: datetime
    erased_at: datetime


@delete("/files/{file_id:uuid}", guards=[signed_in], tags=["files"])
async def remove(request: Request, file_id: UUID) -> None:
    """Move a file to the trash. Images generated from it stay. It counts in the storage until it is deleted for good."""
    async with request.tx() as tx:
        if not await actions.delete(tx, request.account.id, [file_id]):
            raise NotFound


@post("/files/{file_id:uuid}/restoration", guards=[signed_in], tags=["files"])
async def restore(request: Request, file_id: UUID) -> File:
    """Restore a file from the trash, with its tags and visibility, and to the posts and profiles that showed it."""
    async with request.tx() as tx:
        return to_file(request.services, await actions.restore_one(tx, request.account.id, file_id))


@get("/files/trash", guards=[signed_in], tags=["files"])
async def trash(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[TrashedFile]:
    """List the files in the trash, newest first."""
    async with request.read() as tx:
        page = await paging.fetch(tx, queries.LIST, cursor, limit, account=request.account.id)
    return page.map(lambda row: msgspec.convert(row, TrashedFile, from_attributes=True))


@get("/files/trash/usage", guards=[signed_in], tags=["files"])
async def used(request: Request) -> TrashUse:
    """Return what the trash has of the account's storage, and the days that files stay in it."""
    async with request.read() as tx:
        return await tx.fetch_one(queries.USE, account=request.account.id)


@delete("/files/trash/{file_id:uuid}", guards=[signed_in], tags=["files"])
async def erase(request: Request, file_id: UUID) -> None:
    """Delete a file in the trash and its bytes for good."""
    async with request.tx() as tx:
        if not await actions.erase(tx, request.account.id, [file_id]):
            raise NotFound


@delete("/files/trash", guards=[signed_in], tags=["files"])
async def empty(request: Request) -> None:
    """Delete everything in the trash for good."""
    async with request.tx() as tx:
        await actions.empty(tx, request.account.id)


ROUTES: list[Any] = [remove, restore, trash, used, erase, empty]
