"""Verification of the mirror: build a shadow from Stripe's lists and the inbox, and compare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill.actions import CLOCK_RESOLUTION, exclusive_lock, record_progress, stage, start_run
from vetrina.stripe_mirror.backfill.list_reader import ListReader, OnProgress, PageRead, StorePages
from vetrina.stripe_mirror.client import AT_ONCE, Reader
from vetrina.stripe_mirror.model import Difference, Range
from vetrina.stripe_mirror.object_types import KINDS

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
DELETED_HERE_ONLY = "deleted here only"
LIST_DELAY = timedelta(hours=1)
"""A list may still show objects deleted moments ago; after this time it does not."""


class ComparisonResult(msgspec.Struct):
    """The comparison of one kind: objects listed by Stripe, their differences, and the number of repaired rows."""

    kind: str
    listed: int
    differences: list[Difference]
    repaired: int = 0


async def compare(
    services: Services,
    kinds: list[str],
    *,
    repair: bool = False,
    at_once: int = AT_ONCE,
    on_progress: OnProgress = lambda _: None,
    on_finished: Callable[[ComparisonResult], None] = lambda _: None,
) -> list[ComparisonResult]:
    """Compare these kinds with Stripe's lists and the events since; repair differences if `repair`.

    Objects in the mirror that Stripe does not list are then fetched one by one by the job resolve_ties.
    Raises ApiKeyMissing, StripeUnavailable and StripeRefused (503), AlreadyRunning (409).
    """
    results: list[ComparisonResult] = []
    async with exclusive_lock(services, "lists"), Reader.from_settings(services.settings, at_once=at_once) as reader:
        for name in kinds:
            began_at = await reader.server_time(KINDS[name].path) - CLOCK_RESOLUTION
            async with services.db.tx() as tx:
                full_range = await start_run(tx, f"shadow of {name}", 0, began_at)
            try:
                results.append(
                    await _compare_kind(
                        services, reader, name, full_range, repair=repair, at_once=at_once, on_progress=on_progress
                    )
                )
            finally:
                async with services.db.tx() as tx:
                    await tx.execute(queries.DELETE_RUN, run=full_range.run, kind=full_range.kind)
                    await tx.execute(queries.DELETE_STAGED, batch=full_range.run)
            on_finished(results[-1])
    return results


async def compare_with_inbox(services: Services, kinds: list[str]) -> list[ComparisonResult]:
    """Compare these kinds with the newest event of each object, without requests to Stripe."""
    results: list[ComparisonResult] = []
    for name in kinds:
        async with services.db.read() as tx:
            differences = await tx.fetch_all(queries.DIFFERENCES, batch=new_id(), kind=name, began_at=NEVER, listed=False)
        results.append(ComparisonResult(name, 0, [_changed_fields(item) for item in differences]))
    return results


async def _compare_kind(
    services: Services, reader: Reader, name: str, full_range: Range, *, repair: bool, at_once: int, on_progress: OnProgress
) -> ComparisonResult:
    kind = KINDS[name]
    list_reader = ListReader(services, reader, name, kind.path, kind.query, _into_shadow(services, name, full_range.run),
                  at_once=at_once, on_progress=on_progress)  # fmt: skip
    progress = await list_reader.run([full_range])
    async with services.db.tx() as tx:
        await tx.execute(queries.SNAPSHOT)
        differences = await tx.fetch_all(
            queries.DIFFERENCES, batch=full_range.run, kind=name, began_at=full_range.began_at, listed=True
        )
    result = ComparisonResult(name, progress.fetched, [_changed_fields(item) for item in differences])
    if repair and differences:
        async with services.db.tx() as tx:
            await tx.fetch_one(queries.MERGE_STAGED, batch=full_range.run, kind=name)
            await tx.fetch_one(queries.MARK_UNRESOLVED, kind=name, since=NEVER, before=full_range.began_at)
            deleted_here = [item.id for item in differences if item.what == DELETED_HERE_ONLY]
            await tx.fetch_one(queries.UNDELETE, kind=name, ids=deleted_here, before=full_range.began_at - LIST_DELAY)
        result.repaired = len(differences)
    return result


def _into_shadow(services: Services, name: str, batch: UUID) -> StorePages:
    position = 0

    async def store(pages: list[PageRead]) -> int:
        nonlocal position
        start, position = position, position + sum(len(item.page.objects) for item in pages)

        async def work(tx: Tx) -> int:
            await stage(tx, batch, name, pages, start)
            await record_progress(tx, pages)
            return 0

        return await services.db.retry_transaction(work)

    return store


def _changed_fields(item: Difference) -> Difference:
    """Reduce a difference to the fields that differ, if both sides exist."""
    if item.expected is None or item.found is None:
        return item
    expected, actual = item.expected, item.found
    names = sorted(name for name in {*expected, *actual} if expected.get(name) != actual.get(name))
    differences = [{name: side.get(name) for name in names} for side in (expected, actual)]
    return Difference(item.id, item.what, differences[0], differences[1])
