"""The derived states follow from the history in any order and any batches, as of any day."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.reports.helpers import at, canceled, changed, column, made, moment, rows, subscription
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports import actions
from vetrina.stripe_mirror.ingest import actions as mirror

STATUSES = ("active", "past_due", "trialing", "unpaid", "canceled", "incomplete", "frozen")
DAYS = [f"2026-{month:02}-{day:02}" for month in (1, 2, 3) for day in (1, 2, 15, 28)]


def history_of(rng: random.Random) -> list[dict[str, Any]]:
    """Return up to 25 events about four subscriptions in random order, several of them within one second."""
    result: list[dict[str, Any]] = []
    for _ in range(rng.randrange(1, 26)):
        number, amount = rng.randrange(1, 5), rng.choice((0, 500, 900, 12000))
        data = subscription(number, "2026-01-01", amount, currency="usd" if number == 4 else "eur")
        result.append(changed(data, rng.choice(DAYS), status=rng.choice(STATUSES)))
    return result


async def empty(db: Database, owner: str) -> None:
    """Empty the mirror and the derived states."""
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("truncate stripe_mirror.events, stripe_mirror.subscriptions, stripe_mirror.unsettled, "
                           "reports.states, reports.movements, reports.progress")  # fmt: skip


async def current(db: Database) -> dict[str, int]:
    """Return recurring revenue by currency, calculated from the mirror's current rows."""
    async with db.read() as tx:
        result = await (await tx.connection.execute(
            "select currency, sum(reports.current_monthly(id, data))::bigint from stripe_mirror.subscriptions "
            "group by 1 having sum(reports.current_monthly(id, data)) > 0")).fetchall()  # fmt: skip
    return dict(result)


async def test_report_of_today_equals_the_mirror(db: Database, owner: str) -> None:
    today = f"{actions.today()}"
    for seed in range(25):
        rng = random.Random(seed)
        await empty(db, owner)
        events, cut = history_of(rng), rng.randrange(1, 6)
        for start in range(0, len(events), cut):
            await ingest(db, events[start : start + cut])
            if rng.random() < 0.4:
                await actions.refresh(db)
        now = await current(db)
        result = await rows(db, "mrr", today, 1)
        assert {row["currency"]: row["closing"] for row in result if row["closing"]} == now, seed
        active: Counter[str] = Counter()
        for row in await rows(db, "subscriptions", today):
            active[row["currency"]] += row["monthly"]
        assert dict(+active) == now, seed
        assert await actions.verify(db) == [], seed


async def test_past_report_is_unchanged_by_later_events(db: Database) -> None:
    one = subscription(1, "2026-01-05", 1000)
    await ingest(db, [made(one, "2026-01-05"), made(subscription(2, "2026-01-06", 500), "2026-01-06")])
    before = await rows(db, "mrr", "2026-02-01", 3)
    await ingest(db, [canceled(one, "2026-02-10"), changed(subscription(2, "2026-01-06", 700), "2026-02-03")])
    assert await rows(db, "mrr", "2026-02-01", 3) == before
    assert column(await rows(db, "mrr", "2026-02-28", 1), "closing") == [700]


async def test_late_older_event_is_included(db: Database) -> None:
    one = subscription(1, "2026-01-05", 1000)
    await ingest(db, [made(one, "2026-01-05"), canceled(one, "2026-03-05")])
    assert column(await rows(db, "mrr", "2026-02-15", 1), "closing") == [1000]
    await ingest(db, [changed({**one, "items": subscription(1, "2026-01-05", 300)["items"]}, "2026-02-01")])
    assert column(await rows(db, "mrr", "2026-02-15", 1), "closing") == [300]
    assert column(await rows(db, "mrr", "2026-01-15", 1), "closing") == [1000]
    assert await actions.verify(db) == []


async def test_late_commit_is_included(db: Database) -> None:
    """A transaction that began before a refresh and commits after it."""
    one = subscription(1, "2026-01-05", 1000)
    async with db.tx() as slow:
        await slow.connection.execute("select now()")
        await ingest(db, [made(subscription(2, "2026-01-05", 400), "2026-01-05")])
        assert column(await rows(db, "mrr", "2026-01-31", 1), "closing") == [400]
        await mirror.ingest_events(slow, [_event(made(one, "2026-01-05"))], [])
        assert column(await rows(db, "mrr", "2026-01-31", 1), "closing") == [400]
    assert column(await rows(db, "mrr", "2026-01-31", 1), "closing") == [1400]


def _event(data: dict[str, Any]) -> Any:
    from vetrina.stripe_mirror import events

    return events.read(json.dumps(data).encode())


async def test_fetched_objects_have_a_history(db: Database) -> None:
    listed = [
        subscription(1, "2026-01-10", 1000),
        subscription(2, "2026-01-10", 2000, status="canceled", ended_at=at("2026-03-10")),
        subscription(3, "2026-01-10", 4000, trial_end=at("2026-02-10")),
        subscription(4, "2026-01-10", 8000, status="canceled", trial_end=at("2026-02-10"), ended_at=at("2026-03-10")),
        subscription(5, "2026-01-10", 16000, status="canceled", trial_end=at("2026-02-10"), ended_at=at("2026-02-01")),
        subscription(6, "2026-01-10", 32000, status="incomplete_expired", ended_at=at("2026-01-11")),
    ]
    async with db.tx() as tx:
        await mirror.ingest_objects(tx, "subscriptions", json.dumps(listed), moment("2026-05-01"), moment("2026-05-01"))
    closing = {
        day: column(await rows(db, "mrr", day, 1), "closing") for day in ("2026-01-09", "2026-01-20", "2026-02-20", "2026-03-20")
    }
    assert closing == {"2026-01-09": [], "2026-01-20": [3000], "2026-02-20": [15000], "2026-03-20": [5000]}
    trying = column(await rows(db, "subscriptions", "2026-01-20"), "subscriptions", status="trialing")
    assert trying == [3]
    assert await actions.verify(db) == []


async def test_objects_missing_at_stripe_end(db: Database) -> None:
    one = subscription(1, "2026-01-05", 1000)
    await ingest(db, [made(one, "2026-01-05")])
    assert column(await rows(db, "mrr", "2026-03-31", 1), "closing") == [1000]
    stub = json.dumps([{"id": one["id"], "object": "subscription", "deleted": True}])
    async with db.tx() as tx:
        await mirror.ingest_objects(tx, "subscriptions", stub, moment("2026-02-10"), moment("2026-02-10"))
    closing = [column(await rows(db, "mrr", day, 1), "closing") for day in ("2026-02-09", "2026-02-10", "2026-03-31")]
    assert closing == [[1000], [0], [0]]
    assert await actions.verify(db) == []


async def test_wrong_state_is_reported_and_rebuilt(db: Database) -> None:
    await ingest(db, [made(subscription(1, "2026-01-05", 1000), "2026-01-05")])
    await asyncio.sleep(1.1)  # a refresh does not process rows older than a second again
    await actions.refresh(db)
    async with db.tx() as tx:
        await tx.connection.execute("update reports.states set monthly = 2000, change = 2000")
    result = [(row.kept, row.what, row.amount) for row in await actions.verify(db)]
    # The stored state differs from the events, and the stored movement differs from this state.
    assert sorted(result) == [
        (False, "active", 1000), (False, "movement", 2000), (True, "active", 2000), (True, "movement", 1000)]  # fmt: skip
    await actions.refresh(db, rebuild=True)
    assert await actions.verify(db) == []


async def test_out_of_range_amounts_are_tolerated(db: Database) -> None:
    huge = subscription(1, "2026-01-05", 9_000_000_000_000_000_000)
    huge["items"]["data"][0]["quantity"] = 9_000_000_000_000_000_000
    nothing = {"id": "sub_odd", "object": "subscription", "status": None, "items": [], "metadata": {}}
    usual = subscription(2, "2026-01-05", 500)
    await ingest(db, [made(huge, "2026-01-05"), changed(nothing, "2026-01-06"), made(usual, "2026-01-05")])
    assert column(await rows(db, "mrr", "2026-01-31", 1), "closing") == [10**15 + 500]


@pytest.mark.parametrize("ahead", [1, 400])
async def test_future_events_are_not_included(db: Database, ahead: int) -> None:
    day = f"{datetime.now(UTC).date() + timedelta(days=ahead):%Y-%m-%d}"
    await ingest(db, [made(subscription(1, day, 1000), day)])
    assert column(await rows(db, "mrr", f"{datetime.now(UTC):%Y-%m-%d}", 1), "closing") == []
    assert column(await rows(db, "mrr", day, 1), "closing") == [1000]
    assert date.fromisoformat(day) > actions.today()
