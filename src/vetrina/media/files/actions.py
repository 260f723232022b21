"""Media actions: upload, store, change and delete images.

The bytes are stored before the row is written, and deleted if it is not written: after `prepare`, call `insert` in a
transaction, and `delete_orphan` if that fails. Bytes left by a crash in between are deleted by the job
`media.sweep_orphans`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import StorageFull
from vetrina.core import usage
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound, Unavailable
from vetrina.core.services import Services
from vetrina.core.storage import reserve
from vetrina.core.storage.store import NotStored, StorageUnavailable
from vetrina.media import queries
from vetrina.media.files import intake, quota
from vetrina.media.files.decode_slots import SLOT_TIMEOUT, DecodeSlots
from vetrina.media.files.names import clean_name, tidy_tags
from vetrina.media.links import ORIGINAL
from vetrina.media.model import (
    UPLOADED,
    FileRow,
    Prepared,
    UnknownCategory,
)
from vetrina.media.processing.dimensions import HEAD, MAX_PIXELS, pixel_count
from vetrina.media.provenance import reading as credentials
from vetrina.media.provenance.model import Origin, Provenance
from vetrina.media.provenance.signing import Signer
from vetrina.wallet.model import Fault


async def upload(
    services: Services,
    account: AccountId,
    read: Callable[[], Awaitable[bytes]],
    *,
    category: str,
    file_name: str,
    pixels: int = MAX_PIXELS,
    timeout: float | None = SLOT_TIMEOUT,
    sample: str = "",
) -> FileRow:
    """Upload an image. `read` is called when a decoding slot is free, so that waiting uploads use no memory.

    `pixels` is the count of its header, the price of its turn. `sample` names a sample photograph of the site, which takes
    no upload of the plan's month.
    Raises UnknownCategory, EmptyFile, InvalidDimensions, DamagedImage, ImageTooComplex (422), UnsupportedImage (415),
    FileTooLarge (413), QuotaUsedUp (402), StorageFull (409), DecodingBusy (429), Unavailable (503), DiskReserved (507); then
    nothing is stored.
    """
    if category not in UPLOADED:
        raise UnknownCategory
    reserve.require(services.settings)
    async with services.db.read() as tx:
        await quota.check(tx, account, category, is_sample=bool(sample))
        await storage.require_room(tx, account, 1)
    async with services.get(DecodeSlots).hold(account, pixels, timeout):
        result = await intake.run(await read(), heic=services.settings.heic)
    prepared = await intake.store(services, account, result)
    try:
        async with services.db.tx() as tx:
            # first: the wallet is locked before the storage everywhere
            await quota.take(tx, account, category, prepared.id, is_sample=bool(sample))
            row = await insert(tx, account, prepared, category, file_name, metadata={"sample": sample} if sample else None)
            metadata = {"file_id": str(row.id), "category": category, "bytes": row.bytes}
            await usage.record(tx, account, "file_uploaded", metadata)
    except Unavailable:
        raise  # the commit may have happened; if not, the sweep deletes the bytes, as after a cancellation
    except StorageFull:
        await delete_orphan(services, prepared)
        raise await _storage_full(services, account, prepared.bytes + prepared.derived_bytes) from None
    except Exception:
        await delete_orphan(services, prepared)
        raise
    return row


async def prepare(
    services: Services, account: AccountId, data: bytes, *, origin: Origin | None = None, timeout: float | None = None
) -> Prepared:
    """Check, re-encode and store an image and its thumbnails; the caller then writes its row by `insert`.

    With `origin` the original carries Content Credentials that say how it was made; thumbnails carry none.
    Waits for a decoding slot up to `timeout` seconds (None: without limit). Raises the errors of `upload`.
    """
    pixels = pixel_count(data[:HEAD]) or MAX_PIXELS
    async with services.get(DecodeSlots).hold(account, pixels, timeout):
        result = await intake.run(data, heic=services.settings.heic)
    if origin is not None:
        result = await services.get(Signer).signed(result, origin)
    return await intake.store(services, account, result)


async def insert(
    tx: Tx,
    account: AccountId,
    prepared: Prepared,
    category: str,
    file_name: str,
    *,
    tags: Sequence[str] = (),
    is_public: bool = False,
    metadata: dict[str, Any] | None = None,
) -> FileRow:
    """Write the row of a prepared image. `metadata` may contain `generation_id`, which the file's page links to.

    Raises UnknownCategory, InvalidTag, TooManyTags (422), StorageFull (409). The usage record is left to the caller.
    """
    return await tx.fetch_one(
        queries.INSERT,
        account=account,
        id=prepared.id,
        category=category,
        file_name=clean_name(file_name),
        storage_key=prepared.storage_key,
        sha256=prepared.sha256,
        mime=prepared.mime,
        bytes=prepared.bytes,
        derived_bytes=prepared.derived_bytes,
        width=prepared.width,
        height=prepared.height,
        colour=prepared.colour,
        thumbnails=Jsonb({size: {"width": item.width, "height": item.height} for size, item in prepared.thumbnails.items()}),
        is_public=is_public,
        tags=tidy_tags(tags),
        metadata=Jsonb(metadata or {}),
    )


async def delete_orphan(services: Services, prepared: Prepared) -> None:
    """Delete the bytes of a prepared image whose row was not written. Never raises: the sweep retries."""
    await intake.remove(services, [f"{prepared.storage_key}/{variant}" for variant in (ORIGINAL, *prepared.thumbnails)])


async def read(services: Services, account: AccountId, file_id: UUID) -> bytes:
    """Return the bytes of the original. Raises NotFound (404), Unavailable (503)."""
    async with services.db.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=account, id=file_id)
    try:
        return await services.storage.get(f"{row.storage_key}/{ORIGINAL}")
    except NotStored:
        raise NotFound from None
    except StorageUnavailable as error:
        raise Unavailable("Images are not available at the moment. Try again later.") from error


async def provenance(services: Services, account: AccountId, file_id: UUID) -> Provenance:
    """Return what the file's Content Credentials say and what holds. Raises NotFound (404), DamagedImage (422), Unavailable."""
    data = await read(services, account, file_id)
    return await credentials.read(data, services.get(Signer).existing)


async def search(
    tx: Tx,
    account: AccountId,
    cursor: str | None,
    limit: int,
    *,
    category: str | None = None,
    tag: str | None = None,
    q: str | None = None,
) -> Page[FileRow]:
    """Return the account's files, newest first, filtered by category, tag, and `q` in name or tags."""
    filters: dict[str, Any] = {"account": account, "tag": tag, "q": q}
    if category is None:
        return await paging.fetch(tx, queries.LIST, cursor, limit, **filters)
    return await paging.fetch(tx, queries.LIST_BY_CATEGORY, cursor, limit, category=category, **filters)


async def change(
    tx: Tx,
    account: AccountId,
    file_id: UUID,
    *,
    tags: Sequence[str] | None = None,
    is_public: bool | None = None,
    file_name: str | None = None,
) -> FileRow:
    """Change the given fields. Raises NotFound (404), InvalidFileName, InvalidTag, TooManyTags (422)."""
    row = await tx.fetch_one(
        queries.CHANGE,
        account=account,
        id=file_id,
        tags=None if tags is None else tidy_tags(tags),
        is_public=is_public,
        file_name=None if file_name is None else clean_name(file_name, default=""),
    )
    await usage.record(tx, account, "file_changed", {"file_id": str(file_id)})
    return row


async def delete(tx: Tx, account: AccountId, file_ids: Sequence[UUID]) -> int:
    """Delete the account's files among these for good, past the trash; return how many. A job deletes their bytes."""
    rows = await tx.fetch_all(queries.DELETE, account=account, ids=list(file_ids))
    for row in rows:
        await usage.record(tx, account, "file_erased", {"file_id": str(row.id), "category": row.category, "bytes": row.bytes})
    return len(rows)


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Return counts of bytes and of albums' pictures that differ from what they count; empty if there are none."""
    return [*await tx.fetch_all(queries.FAULTS, limit=limit), *await tx.fetch_all(queries.ALBUM_FAULTS, limit=limit)]


async def _storage_full(services: Services, account: AccountId, size: int) -> StorageFull:
    """Return the refusal with the figures of now: another upload has taken the room meanwhile."""
    async with services.db.read() as tx:
        return storage.refusal(await storage.use(tx, account), size)
