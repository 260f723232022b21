"""Actions on albums: create, change, order, delete and restore; changes of many files at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Invalid, NotFound
from vetrina.media.albums import queries
from vetrina.media.albums.model import (
    DESCRIPTION_LENGTH,
    FILES_AT_ONCE,
    NAME_LENGTH,
    AlbumDescriptionTooLong,
    AlbumFileRow,
    AlbumNameLength,
    AlbumRow,
    NoBusiness,
    PictureNotInAlbum,
    Placed,
)
from vetrina.media.files.names import tidy_tags
from vetrina.media.model import FileRow

_LOWEST = -(2**63)
_SLUG_LENGTH = 80


class AlbumChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of an album; omitted fields stay unchanged.

    `with_pictures` publishes or hides the album's pictures along with it. A `cover_file_id` of null is the first picture.
    """

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    with_pictures: bool = False
    cover_file_id: UUID | UnsetType | None = UNSET


def slug_of(name: str, fallback: str) -> str:
    """Return the part of an address made of a name: its words in lower case, joined by hyphens."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", name).lower())
    return "-".join(words)[:_SLUG_LENGTH].strip("-") or fallback


async def create(tx: Tx, account: AccountId, *, name: str, description: str = "") -> UUID:
    """Create a private album and return its id.

    Raises NoBusiness (403), AlbumNameLength, AlbumDescriptionTooLong (422).
    """
    name, description = _checked(name, description)
    if not await tx.fetch_one(queries.IS_BUSINESS, account=account):
        raise NoBusiness
    album_id = new_id()
    ending = album_id.hex[-6:]
    slug = slug_of(name, ending)
    fields = {"account": account, "id": album_id, "name": name, "description": description}
    if await tx.fetch_optional(queries.INSERT, slug=slug, **fields) is None:
        await tx.fetch_one(queries.INSERT, slug=f"{slug}-{ending}", **fields)
    await usage.record(tx, account, "album_created", {"album_id": str(album_id)})
    return album_id


async def change(tx: Tx, account: AccountId, album_id: UUID, data: AlbumChange) -> None:
    """Change the given fields.

    Raises NotFound (404), AlbumNameLength, AlbumDescriptionTooLong, CoverNotInAlbum (422), ConfirmFirst (403).
    """
    given = {key: value for key, value in msgspec.structs.asdict(data).items() if value is not UNSET}
    await _lock(tx, account, album_id)
    name, description = given.get("name"), given.get("description")
    if name is not None:
        name = _checked(name, "")[0]
    if description is not None:
        description = _checked("-", description)[1]
    await tx.execute(
        queries.CHANGE,
        account=account,
        id=album_id,
        name=name,
        description=description,
        is_public=given.get("is_public"),
        sets_cover="cover_file_id" in given,
        cover=given.get("cover_file_id"),
    )
    if data.with_pictures and data.is_public is not UNSET:
        await tx.fetch_one(queries.SHOW_ALL, account=account, album=album_id, is_public=data.is_public)


async def delete(tx: Tx, account: AccountId, album_id: UUID) -> None:
    """Delete an album, not its pictures; within 30 days it can be restored. Raises NotFound (404)."""
    if await tx.fetch_optional(queries.DELETE, account=account, id=album_id) is None:
        raise NotFound


async def restore(tx: Tx, account: AccountId, album_id: UUID) -> None:
    """Restore a deleted album as it was. Raises NotFound (404)."""
    if await tx.fetch_optional(queries.RESTORE, account=account, id=album_id) is None:
        raise NotFound


async def add(
    tx: Tx, account: AccountId, album_id: UUID, file_ids: Sequence[UUID], positions: Sequence[int | None] = ()
) -> list[UUID]:
    """Add files of the account at the end, in this order; return those that were not in the album.

    `positions`, of a removal that is undone, are taken again where they are free. Pictures of a public album stay as public
    or private as they are. Raises NotFound (404) also if one of the files is not the account's.
    """
    files = _few(file_ids)
    given = [*positions, *[None] * len(files)][: len(files)]
    await _lock(tx, account, album_id)
    return await tx.fetch_all(queries.ADD, account=account, album=album_id, files=files, positions=given)


async def remove(tx: Tx, account: AccountId, album_id: UUID, file_ids: Sequence[UUID]) -> list[Placed]:
    """Take files out of an album; return those that were in it, with their positions. Raises NotFound (404)."""
    await _lock(tx, account, album_id)
    return await tx.fetch_all(queries.REMOVE, account=account, album=album_id, files=_few(file_ids))


async def move(tx: Tx, account: AccountId, album_id: UUID, target_id: UUID, file_ids: Sequence[UUID]) -> list[UUID]:
    """Move files from an album to the end of another one; return those that were moved. Raises NotFound (404)."""
    await _lock(tx, account, album_id, target_id)  # both at once and in one order: moves in both directions do not deadlock
    removed = {item.file_id for item in await tx.fetch_all(queries.REMOVE, account=account, album=album_id, files=_few(file_ids))}
    moved = [file_id for file_id in file_ids if file_id in removed]
    await tx.fetch_all(queries.ADD, account=account, album=target_id, files=moved, positions=[None] * len(moved))
    return moved


async def place(tx: Tx, account: AccountId, album_id: UUID, file_id: UUID, before: UUID | None) -> None:
    """Move a picture before another one of the album, or to the end. Raises NotFound (404), PictureNotInAlbum (409)."""
    await _lock(tx, account, album_id)
    if before == file_id:
        return
    if not await tx.fetch_one(queries.PLACE, account=account, album=album_id, file=file_id, next=before):
        raise PictureNotInAlbum


async def change_files(
    tx: Tx,
    account: AccountId,
    file_ids: Sequence[UUID],
    *,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    is_public: bool | None = None,
) -> list[FileRow]:
    """Tag, publish or hide many files in one statement; return those that are the account's.

    Raises InvalidTag, TooManyTags (422), ConfirmFirst (403), TakenDown (409); then none is changed.
    """
    rows = await tx.fetch_all(
        queries.CHANGE_FILES,
        account=account,
        ids=_few(file_ids),
        add_tags=tidy_tags(add_tags),
        remove_tags=[tag.lower() for tag in tidy_tags(remove_tags)],
        is_public=is_public,
    )
    for row in rows:
        await usage.record(tx, account, "file_changed", {"file_id": str(row.id)})
    return rows


async def one(tx: Tx, account: UUID, album_id: UUID, *, visitor: bool = False) -> AlbumRow:
    """Return an album; for a visitor only a public one, with a public cover. Raises NotFound (404)."""
    return await tx.fetch_one(queries.ONE, account=account, id=album_id, open=visitor)


async def pictures(
    tx: Tx, album: AlbumRow, after: int | None, limit: int, *, visitor: bool = False
) -> tuple[list[AlbumFileRow], int | None]:
    """Return up to `limit` pictures of an album after a position, and the position to go on from; None at the end."""
    statement = queries.OPEN_FILES if visitor else queries.FILES
    arguments: dict[str, Any] = {"account": album.account_id, "album": album.id}
    rows = await tx.fetch_all(statement, after=_LOWEST if after is None else after, limit=limit + 1, **arguments)
    return rows[:limit], rows[limit - 1].position if len(rows) > limit else None


async def _lock(tx: Tx, account: AccountId, *album_ids: UUID) -> None:
    ids = set(album_ids)
    if len(await tx.fetch_all(queries.LOCK, account=account, ids=list(ids))) < len(ids):
        raise NotFound


def _checked(name: str, description: str) -> tuple[str, str]:
    name, description = " ".join(name.split()), description.strip()
    if not 1 <= len(name) <= NAME_LENGTH:
        raise AlbumNameLength
    if len(description) > DESCRIPTION_LENGTH:
        raise AlbumDescriptionTooLong
    return name, description


def _few(file_ids: Sequence[UUID]) -> list[UUID]:
    files = list(dict.fromkeys(file_ids))
    if len(files) > FILES_AT_ONCE:
        raise Invalid("At most {n} pictures at once.", values={"n": FILES_AT_ONCE})
    return files
