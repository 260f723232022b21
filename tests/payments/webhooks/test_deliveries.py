"""Thousands of deliveries: every payment granted once, none by a forger, whatever the order."""

from __future__ import annotations

import asyncio
import random

import psycopg
import pytest

from tests.factories import Make
from tests.fakes.stripe import StripeFake
from tests.payments.helpers import scalar
from tests.payments.stripe_helpers import drain, right
from tests.payments.webhooks.deliveries import deliver, ends, wanted, world
from tests.server import Site
from vetrina import worker
from vetrina.core.database.connection import Database
from vetrina.core.services import connect

GRANTS = "select count(*)::int from wallet.grants where source = 'purchase'"
RESTS = "select count(*)::int from payments.webhook_events where outcome in ('failed', 'dead')"
WAITING = "select count(*)::int from procrastinate_jobs where task_name = 'payments.stripe_event' and status in ('todo', 'doing')"


async def test_a_thousand_deliveries(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    created = await world(db, make, stripe, 36)
    deliveries = created.deliveries(seed=1)
    assert len(deliveries) > 1000
    answers, _ = await deliver(shop_site.url, deliveries)
    refused = sum(not delivery.valid for delivery in deliveries)
    assert answers == {(True, 200): len(deliveries) - refused, (False, 400): refused}
    assert await scalar(db, "select count(*)::int from stripe_mirror.events") == (len(deliveries) - refused) // 3
    outcomes = await drain(shop_site.services, order=random.Random(2))
    assert set(outcomes) <= {"applied", "ignored"}
    assert await ends(db) == wanted(created)
    granted = sum(story not in {"expired", "forged"} for story in created.payments.values())
    assert await scalar(db, GRANTS) == granted
    await right(make)
    # All of it once more: nothing changes.
    async with db.tx() as tx:
        await tx.connection.execute("update procrastinate_jobs set status = 'todo' where task_name = 'payments.stripe_event'")
    await drain(shop_site.services, order=random.Random(3))
    assert await ends(db) == wanted(created)
    await right(make)


async def test_a_planted_double_grant_is_noticed(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, owner: str
) -> None:
    created = await world(db, make, stripe, 9)
    await deliver(shop_site.url, created.deliveries(seed=1))
    await drain(shop_site.services)
    account = next(account for account, story in created.payments.items() if story == "partly refunded")
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        await connection.execute("update payments.payments set disputed = 1 where account_id = %s", (account,))
    with pytest.raises(AssertionError, match="money that went back"):
        await right(make)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(20))
async def test_ten_thousand_deliveries(shop_site: Site, stripe: StripeFake, make: Make, db: Database, seed: int) -> None:
    """With a worker at work meanwhile; 20 shuffles, one end."""
    stop = asyncio.Event()
    working = asyncio.create_task(worker.work(connect(shop_site.services.settings, db.uri), stop))
    created = await world(db, make, stripe, 350)
    deliveries = created.deliveries(seed)
    assert len(deliveries) >= 10_000
    answers, seconds = await deliver(shop_site.url, deliveries)
    assert {key for key in answers} == {(True, 200), (False, 400)}
    async with asyncio.timeout(300):
        while await scalar(db, WAITING):
            await asyncio.sleep(0.5)
    stop.set()
    await working
    assert await scalar(db, RESTS) == 0
    assert await ends(db) == wanted(created)
    assert await scalar(db, GRANTS) == sum(story not in {"expired", "forged"} for story in created.payments.values())
    await right(make)
    print(f"shuffle {seed}: {len(deliveries)} deliveries, p99 {sorted(seconds)[int(len(seconds) * 0.99)] * 1000:.0f} ms")
