"""Backfill: read Stripe's lists into the mirror, resumable; reconcile missed events."""

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
from vetrina.stripe_mirror.backfill.list_reader import ListReader, OnProgress, PageRead, Progress, StorePages, progress_rows
from vetrina.stripe_mirror.client import AT_ONCE, Reader
from vetrina.stripe_mirror.ingest import actions
from vetrina.stripe_mirror.model import AlreadyRunning, Range
from vetrina.stripe_mirror.object_types import EVENTS, KINDS, Kind

log = structlog.get_logger("vetrina.stripe_mirror")

EVENT_RETENTION = timedelta(days=30)
"""How long Stripe lists events."""
OVERLAP = 600
"""Seconds that are read again, because an event may be listed a little after its time."""
CLOCK_RESOLUTION = timedelta(seconds=1)
"""Stripe's clock has whole seconds: no page that is read from now on can appear older than this."""
STAGED = ("batch", "position", "kind", "object", "at", "began")


class BackfillResult(msgspec.Struct):
    """The result of a backfill of one kind.

    `changed` rows were updated, `unresolved` objects must be fetched one by one, `resumed` objects were read by an earlier
    run.
    """

    kind: str
    fetched: int
    changed: int
    unresolved: int
    resumed: int


@asynccontextmanager
async def exclusive_lock(services: Services, what: str) -> AsyncGenerator[None]:
    """Hold an advisory lock, so that one process runs at a time. Raises AlreadyRunning (409)."""
    async with services.db.read() as tx:  # the lock belongs to this connection and ends with it
        if not await tx.fetch_one(queries.LOCK, what=what):
            raise AlreadyRunning
        try:
            yield
        finally:
            if not tx.connection.closed:
                await tx.fetch_one(queries.UNLOCK, what=what)


async def backfill(
    services: Services,
    kinds: list[str],
    *,
    since: datetime | None = None,
    fresh: bool = False,
    at_once: int = AT_ONCE,
    on_progress: OnProgress = lambda _: None,
    on_finished: Callable[[BackfillResult], None] = lambda _: None,
) -> list[BackfillResult]:
    """PageRead the lists of these kinds into the mirror: objects created from `since` on (default: all).

    Newer data from webhooks is kept. An interrupted backfill is resumed, unless `fresh`. Raises ApiKeyMissing,
    StripeUnavailable and StripeRefused (503), AlreadyRunning (409).
    """
    start = int(since.timestamp()) if since else 0
    results: list[BackfillResult] = []
    async with exclusive_lock(services, "lists"), Reader.from_settings(services.settings, at_once=at_once) as reader:
        for name in kinds:
            ranges, resumed = await _ranges(services, reader, name, KINDS[name], start, fresh=fresh)
            list_reader = ListReader(
                services,
                reader,
                name,
                KINDS[name].path,
                KINDS[name].query,
                _into_tables(services),
                at_once=at_once,
                on_progress=on_progress,
            )
            progress = await list_reader.run(ranges, resumed)
            async with services.db.tx() as tx:
                unresolved = await tx.fetch_one(
                    queries.MARK_UNRESOLVED, kind=name, since=datetime.fromtimestamp(start, UTC), before=ranges[0].began_at
                )
            results.append(BackfillResult(name, progress.fetched, progress.changed, unresolved, resumed))
            on_finished(results[-1])
        async with services.db.tx() as tx:
            await tx.execute(queries.MARK_MISSING, since=datetime.fromtimestamp(0, UTC))
    return results


async def reconcile(services: Services, *, at_once: int = 4, on_progress: OnProgress = lambda _: None) -> Progress:
    """Ingest the events that Stripe has listed since the last run and no webhook delivered; `changed` is their number."""
    async with exclusive_lock(services, "events"), Reader.from_settings(services.settings, at_once=at_once) as reader:
        async with services.db.read() as tx:
            until = await tx.fetch_one(queries.READ_TO, kind=EVENTS)
        since = until - OVERLAP if until else int((datetime.now(UTC) - EVENT_RETENTION).timestamp())
        ranges, _ = await _ranges(services, reader, EVENTS, Kind("event", "/v1/events"), since, fresh=True)
        list_reader = ListReader(
            services, reader, EVENTS, "/v1/events", {}, _into_inbox(services), at_once=at_once, on_progress=on_progress
        )
        progress = await list_reader.run(ranges)
        async with services.db.tx() as tx:
            await tx.execute(
                queries.MARK_MISSING,
                since=ranges[0].began_at - EVENT_RETENTION if not until else ranges[0].began_at - timedelta(hours=1),
            )
    return progress


async def _ranges(
    services: Services, reader: Reader, name: str, kind: Kind, since: int, *, fresh: bool
) -> tuple[list[Range], int]:
    """Return the ranges to read (the unfinished ones, or the whole span) and the number of objects read before."""
    began_at = await reader.server_time(kind.path) - CLOCK_RESOLUTION  # fails first if the key may not read
    async with services.db.tx() as tx:
        unfinished = [] if fresh else await tx.fetch_all(queries.OPEN_RANGES, kind=name, since=since)
        if unfinished:
            before = await tx.fetch_one(queries.FETCHED_BY_FINISHED, run=unfinished[0].run)
            log.info("backfill resumed", kind=name, ranges=len(unfinished))
            return unfinished, before + sum(page_read.fetched for page_read in unfinished)
        full_range = await start_run(tx, name, since, began_at)
    return [full_range], 0


async def start_run(tx: Tx, name: str, since: int, began_at: datetime) -> Range:
    """Record the start of a run that reads a list: all objects created from `since` until now."""
    full_range = Range(new_id(), name, since, math.floor(began_at.timestamp()) + 3, since, began_at)
    await tx.execute(queries.INSERT_RANGE, **msgspec.structs.asdict(full_range))
    return full_range


async def stage(tx: Tx, batch: UUID, kind: str, pages: list[PageRead], position: int = 0) -> None:
    """Copy pages to the staging table, numbered from `position`."""
    rows = [(page_read.page, text) for page_read in pages for text in page_read.page.objects]
    await tx.copy_in(
        ("stripe_mirror", "staged"),
        STAGED,
        ((batch, position + number, kind, text, page.served_at, page.requested_at) for number, (page, text) in enumerate(rows)),
    )


async def record_progress(tx: Tx, pages: list[PageRead]) -> None:
    """Record the progress of these pages' ranges."""
    first = pages[0].range
    await tx.execute(queries.UPDATE_PROGRESS, run=first.run, kind=first.kind, rows=Jsonb(progress_rows(pages)))


def _into_tables(services: Services) -> StorePages:
    async def store(pages: list[PageRead]) -> int:
        async def transaction(tx: Tx) -> int:
            batch = new_id()
            await stage(tx, batch, pages[0].range.kind, pages)
            changed = await tx.fetch_one(queries.MERGE_STAGED, batch=batch, kind=pages[0].range.kind)
            await record_progress(tx, pages)
            return changed

        return await services.db.retry_transaction(transaction)

    return store


def _into_inbox(services: Services) -> StorePages:
    async def store(pages: list[PageRead]) -> int:
        batch = [events.read(text.encode()) for page_read in pages for text in page_read.page.objects]

        async def transaction(tx: Tx) -> int:
            new = await actions.ingest_events(tx, batch, services.modules.stripe_events)
            await record_progress(tx, pages)
            return len(new)

        return await services.db.retry_transaction(transaction)

    return store
