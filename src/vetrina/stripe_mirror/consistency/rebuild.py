"""Is the mirror right? A shadow of it is made from Stripe's lists and the inbox, and the two are compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import new_id
from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill.actions import SLACK, alone, begin, keep_progress, stage
from vetrina.stripe_mirror.backfill.list_reader import Keep, Read, Sweep, Tell
from vetrina.stripe_mirror.client import AT_ONCE, Reader
from vetrina.stripe_mirror.model import Difference, Range
from vetrina.stripe_mirror.object_types import KINDS

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ALIVE = "deleted here alone"
LATE = timedelta(hours=1)
"""A list may still show what was deleted a moment ago; what it shows after so long was not."""


class Compared(msgspec.Struct):
    """One kind: how many objects Stripe listed, and every difference; `repaired` rows were put right."""

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
    tell: Tell = lambda _: None,
    done: Callable[[Compared], None] = lambda _: None,
) -> list[Compared]:
    """Compare these kinds with Stripe's lists and the events that came since; put right what differs if `repair`.

    What the mirror shows and Stripe does not list is then asked for, object by object, by the settling job.
    Raises NoKey, StripeAway and StripeRefused (503), UnderWay (409).
    """
    found: list[Compared] = []
    async with alone(services, "lists"), Reader.of(services.settings, at_once=at_once) as reader:
        for name in kinds:
            began = await reader.now(KINDS[name].path) - SLACK
            async with services.db.tx() as tx:
                whole = await begin(tx, f"shadow of {name}", 0, began)
            try:
                found.append(await _kind(services, reader, name, whole, repair=repair, at_once=at_once, tell=tell))
            finally:
                async with services.db.tx() as tx:
                    await tx.do(queries.FORGET_RUN, run=whole.run, kind=whole.kind)
                    await tx.do(queries.FORGET_STAGED, batch=whole.run)
            done(found[-1])
    return found


async def compare_with_inbox(services: Services, kinds: list[str]) -> list[Compared]:
    """Compare these kinds with the newest event of each object alone, without asking Stripe."""
    found: list[Compared] = []
    for name in kinds:
        async with services.db.read() as tx:
            told = await tx.all(queries.DIFFERENCES, batch=new_id(), kind=name, began=NEVER, listed=False)
        found.append(Compared(name, 0, [_told(each) for each in told]))
    return found


async def _kind(
    services: Services, reader: Reader, name: str, whole: Range, *, repair: bool, at_once: int, tell: Tell
) -> Compared:
    kind = KINDS[name]
    sweep = Sweep(services, reader, name, kind.path, kind.query, _into_shadow(services, name, whole.run),
                  at_once=at_once, tell=tell)  # fmt: skip
    progress = await sweep.run([whole])
    async with services.db.tx() as tx:
        await tx.do(queries.SNAPSHOT)
        told = await tx.all(queries.DIFFERENCES, batch=whole.run, kind=name, began=whole.began_at, listed=True)
    result = Compared(name, progress.fetched, [_told(each) for each in told])
    if repair and told:
        async with services.db.tx() as tx:
            await tx.one(queries.TAKE_STAGED, batch=whole.run, kind=name)
            await tx.one(queries.DOUBT, kind=name, since=NEVER, before=whole.began_at)
            alive = [each.id for each in told if each.what == ALIVE]
            await tx.one(queries.REVIVE, kind=name, ids=alive, before=whole.began_at - LATE)
        result.repaired = len(told)
    return result


def _into_shadow(services: Services, name: str, batch: UUID) -> Keep:
    position = 0

    async def keep(pages: list[Read]) -> int:
        nonlocal position
        mine, position = position, position + sum(len(each.page.objects) for each in pages)

        async def work(tx: Tx) -> int:
            await stage(tx, batch, name, pages, mine)
            await keep_progress(tx, pages)
            return 0

        return await services.db.retry_transaction(work)

    return keep


def _told(each: Difference) -> Difference:
    """Only the fields that differ, where both sides are there."""
    if each.expected is None or each.found is None:
        return each
    expected, found = each.expected, each.found
    names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    told = [{name: side.get(name) for name in names} for side in (expected, found)]
    return Difference(each.id, each.what, told[0], told[1])
