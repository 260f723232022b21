"""Resolution of what events cannot decide, by fetching the object.

Cases are two events of one second, truncated lists and missing objects.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from vetrina.core.database.connection import Tx
from vetrina.core.errors import Refusal
from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.client import Page, Reader
from vetrina.stripe_mirror.ingest import actions
from vetrina.stripe_mirror.model import UnresolvedObject
from vetrina.stripe_mirror.object_types import KINDS

log = structlog.get_logger("vetrina.stripe_mirror")

BATCH = 200
AT_ONCE = 8
PAUSE = timedelta(seconds=1.5)
"""How long an object waits: a fetch within the second of its event decides nothing."""


class ResolutionResult(msgspec.Struct):
    """The number of objects fetched, of those deleted at Stripe, and of those that could not be fetched."""

    fetched: int = 0
    deleted: int = 0
    failed: int = 0


async def resolve_ties(services: Services, *, pause: timedelta = PAUSE) -> ResolutionResult:
    """Fetch all unresolved objects that are due.

    Safe concurrently with itself and webhooks. Raises ApiKeyMissing (503).
    """
    result = ResolutionResult()
    async with Reader.from_settings(services.settings, at_once=AT_ONCE) as reader:
        seen: set[tuple[str, str]] = set()
        while True:
            async with services.db.read() as tx:
                candidates = await tx.fetch_all(queries.DUE, before=datetime.now(UTC) - pause, limit=BATCH)
            due_now = [unresolved for unresolved in candidates if (unresolved.kind, unresolved.object_id) not in seen]
            if not due_now:
                return result
            seen |= {(unresolved.kind, unresolved.object_id) for unresolved in due_now}
            gate = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(_resolve(services, reader, gate, unresolved, result) for unresolved in due_now))


async def _resolve(
    services: Services, reader: Reader, gate: asyncio.Semaphore, unresolved: UnresolvedObject, result: ResolutionResult
) -> None:
    async with gate:
        try:
            kind = KINDS[unresolved.kind]
            page = await reader.retrieve(kind.path, kind.object, unresolved.object_id)
        except Refusal as error:
            log.warning("object cannot be fetched", kind=unresolved.kind, id=unresolved.object_id, reason=error.message)
            result.failed += 1
            async with services.db.tx() as tx:
                await tx.execute(queries.RECORD_FAILURE, kind=unresolved.kind, id=unresolved.object_id, error=error.message)
            return

        async def work(tx: Tx) -> None:
            await store(tx, unresolved.kind, unresolved.object_id, page)

        await services.db.retry_transaction(work)
        result.fetched += 1
        result.deleted += '"deleted": true' in page.objects[0] or '"deleted":true' in page.objects[0]


async def store(tx: Tx, kind: str, id: str, page: Page) -> None:
    """Apply one fetched object. It stays unresolved if an event has the second of the fetch or a later one."""
    await actions.ingest_objects(tx, kind, f"[{page.objects[0]}]", page.served_at, page.requested_at)
    await tx.execute(queries.DELETE_RESOLVED, kind=kind, id=id, at=page.served_at)
