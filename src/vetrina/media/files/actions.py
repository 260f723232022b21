"""Media actions: upload, store, change and delete images.

The bytes are stored before the row is written, and deleted if it is not written: after `prepare`, call `insert` in a
transaction, and `delete_orphan` if that fails. Bytes left by a crash in between are deleted by the job
`media.sweep_orphans`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from vetrina.core import usage
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound, Refusal, Unavailable
from vetrina.core.isolation.run import (
    IsolatedCrashed,
    IsolatedOutOfMemory,
    IsolatedRejected,
    IsolatedTimeout,
    Limits,
    run_isolated,
)
from vetrina.core.services import Services
from vetrina.core.storage.store import NotStored, StorageFailure, StorageUnavailable
from vetrina.media import queries
from vetrina.media.files import quota
from vetrina.media.files.decode_slots import SLOT_TIMEOUT, DecodeSlots
from vetrina.media.files.names import clean_name, tidy_tags
from vetrina.media.links import ORIGINAL, Side
from vetrina.media.model import (
    UPLOADED,
    DamagedImage,
    EmptyFile,
    FileRow,
    FileTooLarge,
    ImageTooComplex,
    InvalidDimensions,
    Prepared,
    UnknownCategory,
    UnsupportedImage,
)

log = structlog.get_logger("vetrina.media")

REMOVAL_SECONDS = 5.0
"""Seconds that a failed upload waits for its bytes to be deleted; the sweep deletes them otherwise."""
LIMITS = Limits(memory_mb=1024, seconds=30)

_REFUSALS: dict[str, type[Refusal]] = {
    "empty": EmptyFile,
    "too_many_bytes": FileTooLarge,
    "not_an_image": UnsupportedImage,
    "format_not_taken": UnsupportedImage,
    "animated": UnsupportedImage,
    "too_many_pixels": InvalidDimensions,
    "too_long": InvalidDimensions,
    "too_small": InvalidDimensions,
    "damaged": DamagedImage,
}


async def upload(
    services: Services,
    account: AccountId,
    read: Callable[[], Awaitable[bytes]],
    *,
    category: str,
    file_name: str,
    timeout: float | None = SLOT_TIMEOUT,
) -> FileRow:
    """Upload an image. `read` is called when a decoding slot is free, so that waiting uploads use no memory.

    Raises UnknownCategory, EmptyFile, InvalidDimensions, DamagedImage, ImageTooComplex (422), UnsupportedImage (415),
    FileTooLarge (413), QuotaUsedUp (402), Busy (429), Unavailable (503); then nothing is stored.
    """
    if category not in UPLOADED:
        raise UnknownCategory
    async with services.db.read() as tx:
        await quota.check(tx, account, category)
    async with services.get(DecodeSlots).hold(timeout):
        result = await _run_intake(await read())
    prepared = await _store(services, account, result)
    try:
        async with services.db.tx() as tx:
            row = await insert(tx, account, prepared, category, file_name)
            await quota.take(tx, account, category, row.id)
            metadata = {"file_id": str(row.id), "category": category, "bytes": row.bytes}
            await usage.record(tx, account, "file_uploaded", metadata)
    except Unavailable:
        raise  # the commit may have happened; if not, the sweep deletes the bytes, as after a cancellation
    except Exception:
        await delete_orphan(services, prepared)
        raise
    return row


async def prepare(services: Services, account: AccountId, data: bytes, *, timeout: float | None = None) -> Prepared:
    """Check, re-encode and store an image and its thumbnails; the caller then writes its row by `insert`.

    Waits for a decoding slot up to `timeout` seconds (None: without limit). Raises the errors of `upload`.
    """
    async with services.get(DecodeSlots).hold(timeout):
        result = await _run_intake(data)
    return await _store(services, account, result)


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

    Raises UnknownCategory, InvalidTag, TooManyTags (422). The usage record is left to the caller.
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
    await _remove(services, [f"{prepared.storage_key}/{variant}" for variant in (ORIGINAL, *prepared.thumbnails)])


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
    """Delete the account's files among these; return how many. A job enqueued in the same transaction deletes their bytes."""
    rows = await tx.fetch_all(queries.DELETE, account=account, ids=list(file_ids))
    for row in rows:
        await usage.record(tx, account, "file_deleted", {"file_id": str(row.id), "category": row.category, "bytes": row.bytes})
    return len(rows)


async def _store(services: Services, account: AccountId, result: dict[str, Any]) -> Prepared:
    """Store the result of the intake. The decoding slot is free meanwhile, so a slow bucket does not block decoding."""
    file_id = new_id()
    storage_key = f"{account}/{file_id}"
    thumbnails: dict[str, dict[str, Any]] = result["thumbnails"]
    parts = {ORIGINAL: (result["data"], result["mime"])} | {
        size: (item["data"], item["mime"]) for size, item in thumbnails.items()
    }
    keys = {f"{storage_key}/{variant}": part for variant, part in parts.items()}
    try:
        # all are awaited, so that none can arrive after the deletion
        async with services.get(DecodeSlots).storing:
            outcomes = await asyncio.gather(
                *(services.storage.put(key, body, mime) for key, (body, mime) in keys.items()), return_exceptions=True
            )
    except asyncio.CancelledError:
        await asyncio.shield(_remove(services, list(keys)))
        raise
    failed = [item for item in outcomes if item is not None]
    if failed:
        await _remove(services, list(keys))
        if isinstance(failed[0], StorageFailure):
            log.error("image could not be stored", error=str(failed[0]))
            raise Unavailable("The image cannot be stored at the moment. Try again later.") from failed[0]
        log.error("image could not be stored", exc_info=failed[0])
        raise failed[0]
    return Prepared(
        account_id=account,
        id=file_id,
        storage_key=storage_key,
        sha256=bytes.fromhex(result["sha256"]),
        mime=result["mime"],
        bytes=result["bytes"],
        width=result["width"],
        height=result["height"],
        colour=result["colour"],
        thumbnails={size: Side(item["width"], item["height"]) for size, item in thumbnails.items()},
    )


async def _run_intake(data: bytes) -> dict[str, Any]:
    """Return the result of the isolated intake; its failures become refusals."""
    try:
        return await run_isolated("vetrina.media.processing.images:intake", {"data": data}, limits=LIMITS)
    except IsolatedRejected as refused:
        raise _REFUSALS[refused.code](refused.message, reason=refused.code) from refused
    except (IsolatedTimeout, IsolatedOutOfMemory) as error:
        log.warning("image exceeds the decoding limits", exc_info=error)
        raise ImageTooComplex from error
    except IsolatedCrashed as error:
        if error.signal is None:
            raise  # a fault of our own code
        log.warning("image crashed the decoder", exc_info=error)
        raise DamagedImage from error


async def _remove(services: Services, keys: list[str]) -> None:
    try:
        async with asyncio.timeout(REMOVAL_SECONDS):
            await services.storage.delete(keys)
    except (StorageFailure, TimeoutError):
        log.warning("orphaned bytes not deleted", keys=keys)
