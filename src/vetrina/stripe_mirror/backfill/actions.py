"""What Stripe holds already: whole lists read into the mirror, resumed where they were left; and what changed meanwhile."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.stripe_mirror import events, queries
from vetrina.stripe_mirror.backfill.list_reader import Keep, Progress, Read, Sweep, Tell, progress_rows
from vetrina.stripe_mirror.client import AT_ONCE, Reader
from vetrina.stripe_mirror.ingest import actions
from vetrina.stripe_mirror.model import Range, UnderWay
from vetrina.stripe_mirror.object_types import EVENTS, KINDS, Kind

log = structlog.get_logger("vetrina.stripe_mirror")

KEPT = timedelta(days=30)
"""So long Stripe lists events."""
OVERLAP = 600
"""Seconds that are read again: an event may be listed a little after it happened."""
SLACK = timedelta(seconds=1)
"""Stripe tells its time in whole seconds: no page that is read from now on can seem older than this."""
STAGED = ("batch", "position", "kind", "object", "at", "began")


class Filled(msgspec.Struct):
    """What a backfill read of one kind, and how many rows it changed or put into doubt; `resumed` objects were read before."""

    kind: str
    fetched: int
    changed: int
    doubted: int
    resumed: int


@asynccontextmanager
async def alone(services: Services, what: str) -> AsyncGenerator[None]:
    """Only one at a time, over all processes. Raises UnderWay (409)."""
    async with services.db.read() as tx:  # the lock is this connection's, and goes with it
        if not await tx.one(queries.LOCK, what=what):
            raise UnderWay
        try:
            yield
        finally:
            if not tx.connection.closed:
                await tx.one(queries.UNLOCK, what=what)


async def backfill(
    services: Services,
    kinds: list[str],
    *,
    since: datetime | None = None,
    fresh: bool = False,
    at_once: int = AT_ONCE,
    tell: Tell = lambda _: None,
    done: Callable[[Filled], None] = lambda _: None,
) -> list[Filled]:
    """Read these kinds' lists, of what was created from `since` on (all by default), into the mirror.

    What webhooks told later stays. One that was cut short goes on where it was, unless `fresh`. Raises NoKey, StripeAway
    and StripeRefused (503), UnderWay (409).
    """
    start = int(since.timestamp()) if since else 0
    found: list[Filled] = []
    async with alone(services, "lists"), Reader.of(services.settings, at_once=at_once) as reader:
        for name in kinds:
            ranges, resumed = await _ranges(services, reader, name, KINDS[name], start, fresh=fresh)
            sweep = Sweep(
                services, reader, name, KINDS[name].path, KINDS[name].query, _into_tables(services), at_once=at_once, tell=tell
            )
            progress = await sweep.run(ranges, resumed)
            async with services.db.tx() as tx:
                doubted = await tx.one(
                    queries.DOUBT, kind=name, since=datetime.fromtimestamp(start, UTC), before=ranges[0].began_at
                )
            found.append(Filled(name, progress.fetched, progress.changed, doubted, resumed))
            done(found[-1])
        async with services.db.tx() as tx:
            await tx.do(queries.WANT, since=datetime.fromtimestamp(0, UTC))
    return found


async def reconcile(services: Services, *, at_once: int = 4, tell: Tell = lambda _: None) -> Progress:
    """Take in the events that Stripe lists since the last time and that no webhook brought; `changed` is how many."""
    async with alone(services, "events"), Reader.of(services.settings, at_once=at_once) as reader:
        async with services.db.read() as tx:
            until = await tx.one(queries.READ_TO, kind=EVENTS)
        since = until - OVERLAP if until else int((datetime.now(UTC) - KEPT).timestamp())
        ranges, _ = await _ranges(services, reader, EVENTS, Kind("event", "/v1/events"), since, fresh=True)
        sweep = Sweep(services, reader, EVENTS, "/v1/events", {}, _into_inbox(services), at_once=at_once, tell=tell)
        progress = await sweep.run(ranges)
        async with services.db.tx() as tx:
            await tx.do(queries.WANT, since=ranges[0].began_at - KEPT if not until else ranges[0].began_at - timedelta(hours=1))
    return progress


async def _ranges(
    services: Services, reader: Reader, name: str, kind: Kind, since: int, *, fresh: bool
) -> tuple[list[Range], int]:
    """Where to go on, or the whole span; and how many objects were read before."""
    began = await reader.now(kind.path) - SLACK  # which tells first whether the key may read
    async with services.db.tx() as tx:
        left = [] if fresh else await tx.all(queries.OPEN_RANGES, kind=name, since=since)
        if left:
            before = await tx.one(queries.FETCHED_BEFORE, run=left[0].run)
            log.info("a backfill goes on", kind=name, ranges=len(left))
            return left, before + sum(each.fetched for each in left)
        whole = await begin(tx, name, since, began)
    return [whole], 0


async def begin(tx: Tx, name: str, since: int, began: datetime) -> Range:
    """Begin to read a list: everything that was created from `since` up to now."""
    whole = Range(new_id(), name, since, math.floor(began.timestamp()) + 3, since, began)
    await tx.do(queries.OPEN_RANGE, **msgspec.structs.asdict(whole))
    return whole


async def stage(tx: Tx, batch: UUID, kind: str, pages: list[Read], position: int = 0) -> None:
    """Copy pages to where a merge takes them from, numbered from `position` on."""
    rows = [(each.page, text) for each in pages for text in each.page.objects]
    await tx.copy(
        ("stripe_mirror", "staged"),
        STAGED,
        ((batch, position + number, kind, text, page.at, page.began) for number, (page, text) in enumerate(rows)),
    )


async def keep_progress(tx: Tx, pages: list[Read]) -> None:
    """How far these pages' ranges are."""
    first = pages[0].range
    await tx.do(queries.PROGRESS, run=first.run, kind=first.kind, rows=Jsonb(progress_rows(pages)))


def _into_tables(services: Services) -> Keep:
    async def keep(pages: list[Read]) -> int:
        async def work(tx: Tx) -> int:
            batch = new_id()
            await stage(tx, batch, pages[0].range.kind, pages)
            changed = await tx.one(queries.TAKE_STAGED, batch=batch, kind=pages[0].range.kind)
            await keep_progress(tx, pages)
            return changed

        return await services.db.retry_transaction(work)

    return keep


def _into_inbox(services: Services) -> Keep:
    async def keep(pages: list[Read]) -> int:
        told = [events.read(text.encode()) for each in pages for text in each.page.objects]

        async def work(tx: Tx) -> int:
            new = await actions.take(tx, told, services.modules.stripe_events)
            await keep_progress(tx, pages)
            return len(new)

        return await services.db.retry_transaction(work)

    return keep
