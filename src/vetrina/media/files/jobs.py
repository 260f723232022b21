"""Background work of media: bytes go after their rows."""

from __future__ import annotations

import re
import time
from uuid import UUID

import structlog

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.media import queries

log = structlog.get_logger("vetrina.media")

SETTLED = 60 * 60
"""Seconds after which bytes without a row are orphans: a picture's row follows its bytes within a minute or two."""
BATCH = 500
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PREFIX = re.compile(rf"({_UUID})/({_UUID})")


@job("media.erase", queue="media")
async def erase(services: Services, *, prefix: str) -> None:
    """Delete every key of one file ("account/file"). Runs again harmlessly. Raises ValueError for any other prefix."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is not one file's")
    await services.storage.delete([key async for key in services.storage.list(prefix)])


@job("media.sweep_orphans", queue="media", every="43 * * * *")
async def sweep_orphans(services: Services) -> None:
    """Delete the bytes of files that have no row: what a crash between storing and committing left.

    How old bytes are is read from the file's id (UUIDv7), which was made when they were stored. Keys of any other
    shape are not looked at.
    """
    batch: dict[str, list[str]] = {}
    async for key in services.storage.list(""):
        prefix, _, variant = key.rpartition("/")
        found = _PREFIX.fullmatch(prefix)
        if found and variant and _age(UUID(found[2])) > SETTLED:
            if prefix not in batch and len(batch) == BATCH:
                await _sweep(services, batch)
                batch = {}
            batch.setdefault(prefix, []).append(key)
    if batch:
        await _sweep(services, batch)


async def _sweep(services: Services, batch: dict[str, list[str]]) -> None:
    prefixes = list(batch)
    async with services.db.read() as tx:
        live = set(await tx.all(queries.LIVE, accounts=[UUID(each[:36]) for each in prefixes], keys=prefixes))
    orphans = [key for prefix in prefixes if prefix not in live for key in batch[prefix]]
    if orphans:
        log.info("orphaned bytes are removed", keys=len(orphans))
        await services.storage.delete(orphans)


def _age(file_id: UUID) -> float:
    """Seconds since a UUIDv7 was made; nothing for any other kind, whose age cannot be told."""
    return time.time() - (file_id.int >> 80) / 1000 if file_id.version == 7 else 0.0
