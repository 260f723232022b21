"""The rules of media: a picture is taken in, kept, changed and deleted here.

The bytes are stored before the row is written, and removed when the row is not: whoever calls
`prepare` calls `insert` in a transaction, and `discard` when that fails. What a crash between the two
leaves behind is found by `media.sweep_orphans`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import Busy, NotFound, Refusal, Unavailable
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
from vetrina.media.files import quota as allowance
from vetrina.media.files.names import cleaned, tidy_tags
from vetrina.media.links import ORIGINAL, Side
from vetrina.media.model import (
    UPLOADED,
    BadDimensions,
    DamagedPicture,
    EmptyFile,
    FileRow,
    FileTooLarge,
    NotAPicture,
    PictureTooHard,
    Prepared,
    UnknownCategory,
)

log = structlog.get_logger("vetrina.media")

AT_ONCE = 2
"""Pictures that one process takes in at once; each may use a processor and some hundred megabytes."""
STORED_AT_ONCE = 16
"""Pictures whose bytes one process hands to the storage at once; they wait in memory, so a bucket that hangs holds few."""
POOL_TIMEOUT = 15.0
"""Seconds that an upload waits for its turn before it is told to come again."""
REMOVAL_SECONDS = 5.0
"""How long an upload that failed waits for its bytes to go; the sweep finds them otherwise."""
LIMITS = Limits(memory_mb=1024, seconds=30)

_REFUSALS: dict[str, type[Refusal]] = {
    "empty": EmptyFile,
    "too_many_bytes": FileTooLarge,
    "not_an_image": NotAPicture,
    "format_not_taken": NotAPicture,
    "animated": NotAPicture,
    "too_many_pixels": BadDimensions,
    "too_long": BadDimensions,
    "too_small": BadDimensions,
    "damaged": DamagedPicture,
}


class Turns:
    """Lets a few in at once; the others wait in line."""

    def __init__(self, _: Services) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self.storing = asyncio.Semaphore(STORED_AT_ONCE)

    @contextlib.asynccontextmanager
    async def one(self, patience: float | None) -> AsyncGenerator[None]:
        """A turn, after `patience` seconds at most (None: however long it takes). Raises Busy (429)."""
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            raise Busy("Many pictures are arriving just now. Please try again in a moment.") from None
        try:
            yield
        finally:
            self._free.release()


async def upload(
    services: Services,
    account: AccountId,
    read: Callable[[], Awaitable[bytes]],
    *,
    category: str,
    file_name: str,
    patience: float | None = POOL_TIMEOUT,
) -> FileRow:
    """Take in a picture that a person brings. `read` is called when its turn has come, so that waiting takes no memory.

    Raises UnknownCategory, EmptyFile, BadDimensions, DamagedPicture, PictureTooHard (422), NotAPicture (415),
    FileTooLarge (413), QuotaUsedUp (402), Busy (429), Unavailable (503); then nothing of it is kept.
    """
    if category not in UPLOADED:
        raise UnknownCategory
    async with services.db.read() as tx:
        await allowance.check(tx, account, category)
    async with services.part(Turns).one(patience):
        result = await _taken_in(await read())
    prepared = await _store(services, account, result)
    try:
        async with services.db.tx() as tx:
            row = await insert(tx, account, prepared, category, file_name)
            await allowance.take(tx, account, category, row.id)
            metadata = {"file_id": str(row.id), "category": category, "bytes": row.bytes}
            await usage.record(tx, account, "file_uploaded", metadata)
    except Unavailable:
        raise  # the commit may have happened; if not, the sweep finds the bytes, as after a cancellation
    except Exception:
        await discard(services, prepared)
        raise
    return row


async def prepare(services: Services, account: AccountId, data: bytes, *, patience: float | None = None) -> Prepared:
    """Check, re-encode and store a picture and its thumbnails; its row is still to be written by `insert`.

    Waits for its turn (`patience` in seconds, None: however long it takes). Raises as `upload` does.
    """
    async with services.part(Turns).one(patience):
        result = await _taken_in(data)
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
    """Write the row of a prepared picture. `metadata` may hold `generation_id`, which its page then links to.

    Raises UnknownCategory, BadTag, TooManyTags (422). Writes no usage record: the caller knows what was done.
    """
    return await tx.one(
        queries.INSERT,
        account=account,
        id=prepared.id,
        category=category,
        file_name=cleaned(file_name),
        storage_key=prepared.storage_key,
        sha256=prepared.sha256,
        mime=prepared.mime,
        bytes=prepared.bytes,
        width=prepared.width,
        height=prepared.height,
        colour=prepared.colour,
        thumbnails=Jsonb({size: {"width": each.width, "height": each.height} for size, each in prepared.thumbnails.items()}),
        is_public=is_public,
        tags=tidy_tags(tags),
        metadata=Jsonb(metadata or {}),
    )


async def discard(services: Services, prepared: Prepared) -> None:
    """Remove the bytes of a prepared picture whose row was not written. Never raises: the sweep comes after it."""
    await _remove(services, [f"{prepared.storage_key}/{variant}" for variant in (ORIGINAL, *prepared.thumbnails)])


async def read(services: Services, account: AccountId, file_id: UUID) -> bytes:
    """The whole picture, as it is stored. Raises NotFound (404), Unavailable (503)."""
    async with services.db.read() as tx:
        row = await tx.one(queries.ONE, account=account, id=file_id)
    try:
        return await services.storage.get(f"{row.storage_key}/{ORIGINAL}")
    except NotStored:
        raise NotFound from None
    except StorageUnavailable as error:
        raise Unavailable("The pictures cannot be read just now. Please try again in a moment.") from error


async def found(
    tx: Tx,
    account: AccountId,
    *,
    category: str | None = None,
    tag: str | None = None,
    q: str | None = None,
    before: UUID,
    limit: int,
) -> list[FileRow]:
    """The account's files, the newest first, of a category, with a tag, with `q` in their name or tags."""
    if category is None:
        return await tx.all(queries.LIST, account=account, before=before, tag=tag, q=q, limit=limit)
    return await tx.all(queries.LIST_BY_CATEGORY, account=account, category=category, before=before, tag=tag, q=q, limit=limit)


async def change(
    tx: Tx,
    account: AccountId,
    file_id: UUID,
    *,
    tags: Sequence[str] | None = None,
    is_public: bool | None = None,
    file_name: str | None = None,
) -> FileRow:
    """Set what is given. Raises NotFound (404), BadFileName, BadTag, TooManyTags (422)."""
    row = await tx.one(
        queries.CHANGE,
        account=account,
        id=file_id,
        tags=None if tags is None else tidy_tags(tags),
        is_public=is_public,
        file_name=None if file_name is None else cleaned(file_name, otherwise=""),
    )
    await usage.record(tx, account, "file_changed", {"file_id": str(file_id)})
    return row


async def delete(tx: Tx, account: AccountId, file_ids: Sequence[UUID]) -> int:
    """Delete those of the files that the account has; how many. Their bytes go by a job in the same transaction."""
    rows = await tx.all(queries.DELETE, account=account, ids=list(file_ids))
    for row in rows:
        await usage.record(tx, account, "file_deleted", {"file_id": str(row.id), "category": row.category, "bytes": row.bytes})
    return len(rows)


async def _store(services: Services, account: AccountId, result: dict[str, Any]) -> Prepared:
    """Hand what the intake made to the storage. The turn is free meanwhile: a slow bucket keeps nobody from decoding."""
    file_id = new_id()
    storage_key = f"{account}/{file_id}"
    thumbnails: dict[str, dict[str, Any]] = result["thumbnails"]
    parts = {ORIGINAL: (result["data"], result["mime"])} | {
        size: (each["data"], each["mime"]) for size, each in thumbnails.items()
    }
    keys = {f"{storage_key}/{variant}": part for variant, part in parts.items()}
    try:
        # all are awaited, so that none can arrive after the removal
        async with services.part(Turns).storing:
            outcomes = await asyncio.gather(
                *(services.storage.put(key, body, mime) for key, (body, mime) in keys.items()), return_exceptions=True
            )
    except asyncio.CancelledError:
        await asyncio.shield(_remove(services, list(keys)))
        raise
    failed = [each for each in outcomes if each is not None]
    if failed:
        await _remove(services, list(keys))
        if isinstance(failed[0], StorageFailure):
            log.error("a picture could not be stored", error=str(failed[0]))
            raise Unavailable("The picture cannot be stored just now. Please try again in a moment.") from failed[0]
        log.error("a picture could not be stored", exc_info=failed[0])
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
        thumbnails={size: Side(each["width"], each["height"]) for size, each in thumbnails.items()},
    )


async def _taken_in(data: bytes) -> dict[str, Any]:
    """Return the result of the isolated intake; its failures become refusals."""
    try:
        return await run_isolated("vetrina.media.processing.images:intake", {"data": data}, limits=LIMITS)
    except IsolatedRejected as refused:
        raise _REFUSALS[refused.code](refused.message, reason=refused.code) from refused
    except (IsolatedTimeout, IsolatedOutOfMemory) as error:
        log.warning("a picture was too hard", exc_info=error)
        raise PictureTooHard from error
    except IsolatedCrashed as error:
        if error.signal is None:
            raise  # our own fault
        log.warning("a picture ended its decoder", exc_info=error)
        raise DamagedPicture from error


async def _remove(services: Services, keys: list[str]) -> None:
    try:
        async with asyncio.timeout(REMOVAL_SECONDS):
            await services.storage.delete(keys)
    except (StorageFailure, TimeoutError):
        log.warning("bytes were left behind", keys=keys)
