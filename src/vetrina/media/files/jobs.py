"""Background jobs of media: delete bytes after their rows."""

from __future__ import annotations

import re
import time
from uuid import UUID

import structlog

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.media import queries

log = structlog.get_logger("vetrina.media")

ORPHAN_AGE = 60 * 60
"""Age in seconds after which bytes without a row are orphans; a row follows its bytes within a minute or two."""
BATCH = 500
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PREFIX = re.compile(rf"({_UUID})/({_UUID})")


@job("media.erase", queue="media")
async def erase(services: Services, *, prefix: str) -> None:
    """Delete every key of one file ("account/file"). Idempotent. Raises ValueError for any other prefix."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is not the prefix of one file")
    await services.storage.delete([key async for key in services.storage.list(prefix)])


@job("media.drop_pending_uploads", queue="media", every="2-59/5 * * * *")
async def drop_pending_uploads(services: Services) -> None:
    """Return the slots of uploads that were recorded an hour ago and whose bytes never came."""
    async with services.db.tx() as tx:
        await tx.execute(queries.DROP_PENDING_UPLOADS)


@job("media.sweep_orphans", queue="media", every="43 * * * *")
async def sweep_orphans(services: Services) -> None:
    """Delete the bytes of files without a row, left by a crash between storing and committing.

    Their age is read from the file id (UUIDv7), which is created when they are stored. Keys of any other form are
    ignored.
    """
    batch: dict[str, list[str]] = {}
    async for key in services.storage.list(""):
        prefix, _, variant = key.rpartition("/")
        match = _PREFIX.fullmatch(prefix)
        if match and variant and _age(UUID(match[2])) > ORPHAN_AGE:
            if prefix not in batch and len(batch) == BATCH:
                await _sweep(services, batch)
                batch = {}
            batch.setdefault(prefix, []).append(key)
    if batch:
        await _sweep(services, batch)


@job("media.measure_thumbnails", queue="media", every="53 * * * *")
async def measure_thumbnails(services: Services) -> None:
    """Count the thumbnails of files of earlier versions, which were stored without their sizes."""
    while True:
        async with services.db.read() as tx:
            files = await tx.fetch_all(queries.UNMEASURED, limit=BATCH)
        if not files:
            return
        for file in files:
            sizes = [await services.storage.size(f"{file.storage_key}/{variant}") for variant in file.thumbnails]
            async with services.db.tx() as tx:
                await tx.execute(queries.MEASURED, account=file.account_id, id=file.id, bytes=sum(sizes))


async def _sweep(services: Services, batch: dict[str, list[str]]) -> None:
    prefixes = list(batch)
    async with services.db.read() as tx:
        live = set(await tx.fetch_all(queries.LIVE, accounts=[UUID(prefix_[:36]) for prefix_ in prefixes], keys=prefixes))
    orphans = [key for prefix in prefixes if prefix not in live for key in batch[prefix]]
    if orphans:
        log.info("orphaned bytes deleted", keys=len(orphans))
        await services.storage.delete(orphans)


def _age(file_id: UUID) -> float:
    """Return the seconds since a UUIDv7 was created; 0 for other versions, whose age is unknown."""
    return time.time() - (file_id.int >> 80) / 1000 if file_id.version == 7 else 0.0
