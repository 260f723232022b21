"""Personal data in media: images and portraits, as rows and bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.core.database.ids import AccountId
from vetrina.core.personal_data import PersonalData, TableRule
from vetrina.core.services import Services
from vetrina.core.storage.store import key_of
from vetrina.media.albums import queries as queries_albums
from vetrina.media.links import ORIGINAL
from vetrina.media.portraits import queries as queries_profiles
from vetrina.media.public_pictures import queries as queries_public

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class Picture(msgspec.Struct, frozen=True):
    """A file's id and type."""

    id: UUID
    mime: str


FILES = Statement(
    dict[str, Any],
    """
    select to_jsonb(f) - 'account_id' - 'storage_key' - 'sha256' - 'deleted_at' as row from media.stored_files f
     where account_id = %(account)s and deleted_at is null order by id
    """,
)
DAILY_UPLOADS = Statement(
    dict[str, Any],
    "select to_jsonb(d) - 'account_id' as row from media.daily_uploads d where account_id = %(account)s order by day",
)
ERASE_DAILY_UPLOADS = Statement(NoneType, "delete from media.daily_uploads where account_id = %(account)s")
PENDING_UPLOADS = Statement(
    dict[str, Any],
    "select to_jsonb(u) - 'account_id' as row from media.pending_uploads u where account_id = %(account)s order by id",
)
ERASE_PENDING_UPLOADS = Statement(NoneType, "delete from media.pending_uploads where account_id = %(account)s")
PICTURES = Statement(Picture, "select id, mime from media.files where account_id = %(account)s order by id")
# With those in the trash; a trigger deletes the bytes with the rows.
ERASE_FILES = Statement(NoneType, "delete from media.stored_files where account_id = %(account)s")


async def files(services: Services, account: AccountId) -> AsyncGenerator[tuple[str, str]]:
    """Yield every original by id. Names may repeat; the rows contain them."""
    async with services.db.read() as tx:
        pictures = await tx.fetch_all(PICTURES, account=account)
    for picture in pictures:
        yield f"pictures/{picture.id}.{_ENDINGS.get(picture.mime, 'bin')}", key_of(account, picture.id, ORIGINAL)


PERSONAL_DATA = PersonalData(
    "media",
    [
        TableRule("media.album_files", queries_albums.EXPORT_ALBUM_FILES, queries_albums.ERASE_ALBUM_FILES),
        TableRule("media.albums", queries_albums.EXPORT_ALBUMS, queries_albums.ERASE_ALBUMS),
        TableRule("media.pending_uploads", PENDING_UPLOADS, ERASE_PENDING_UPLOADS),
        TableRule("media.portraits", queries_profiles.EXPORT_PORTRAITS, queries_profiles.ERASE_PORTRAITS),
        TableRule("media.reports", queries_public.EXPORT_REPORTS, queries_public.ERASE_REPORTS),
        TableRule("media.takedowns", queries_public.EXPORT_TAKEDOWNS, queries_public.ERASE_TAKEDOWNS),
        TableRule("media.featured_files", queries_public.EXPORT_FEATURED, queries_public.ERASE_FEATURED),
        TableRule("media.daily_uploads", DAILY_UPLOADS, ERASE_DAILY_UPLOADS),
        TableRule("media.stored_files", FILES, ERASE_FILES),
    ],
    files=files,
)
