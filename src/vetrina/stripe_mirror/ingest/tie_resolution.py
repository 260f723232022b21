"""What events alone cannot tell is asked for: two of one second, lists that were cut off, what never came."""

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
from vetrina.stripe_mirror.model import Unsettled
from vetrina.stripe_mirror.object_types import KINDS

log = structlog.get_logger("vetrina.stripe_mirror")

BATCH = 200
AT_ONCE = 8
PAUSE = timedelta(seconds=1.5)
"""So long an object is left alone: what is fetched within the second of its event settles nothing."""


class Settled(msgspec.Struct):
    """How many objects were fetched, how many of those were gone, how many could not be fetched."""

    fetched: int = 0
    gone: int = 0
    failed: int = 0


async def settle(services: Services, *, pause: timedelta = PAUSE) -> Settled:
    """Fetch everything that is due. Safe beside itself and beside webhooks. Raises NoKey (503)."""
    found = Settled()
    async with Reader.of(services.settings, at_once=AT_ONCE) as reader:
        seen: set[tuple[str, str]] = set()
        while True:
            async with services.db.read() as tx:
                due = await tx.all(queries.DUE, before=datetime.now(UTC) - pause, limit=BATCH)
            fresh = [each for each in due if (each.kind, each.object_id) not in seen]
            if not fresh:
                return found
            seen |= {(each.kind, each.object_id) for each in fresh}
            gate = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(_one(services, reader, gate, each, found) for each in fresh))


async def _one(services: Services, reader: Reader, gate: asyncio.Semaphore, each: Unsettled, found: Settled) -> None:
    async with gate:
        try:
            kind = KINDS[each.kind]
            page = await reader.one(kind.path, kind.object, each.object_id)
        except Refusal as refused:
            log.warning("an object cannot be fetched", kind=each.kind, id=each.object_id, why=refused.message)
            found.failed += 1
            async with services.db.tx() as tx:
                await tx.do(queries.FAILED, kind=each.kind, id=each.object_id, error=refused.message)
            return

        async def work(tx: Tx) -> None:
            await keep(tx, each.kind, each.object_id, page)

        await services.db.retry_transaction(work)
        found.fetched += 1
        found.gone += '"deleted": true' in page.objects[0] or '"deleted":true' in page.objects[0]


async def keep(tx: Tx, kind: str, id: str, page: Page) -> None:
    """Take one fetched object in. What happened in the second of the fetch, or after it, stays unsettled."""
    await actions.take_fetched(tx, kind, f"[{page.objects[0]}]", page.at, page.began)
    await tx.do(queries.SETTLED, kind=kind, id=id, at=page.at)
