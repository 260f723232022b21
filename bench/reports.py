"""Members by metadata and reports among a million customers and a million subscriptions.

Both are what a backfill leaves; a tenth of the subscriptions have events too, so that history is worked out of both.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.environment import Environment
from bench.report import Line
from vetrina.core.database.connection import Database
from vetrina.reports import actions as report_actions
from vetrina.reports.catalogue import REPORTS
from vetrina.reports.members import actions
from vetrina.reports.members import filters as members
from vetrina.reports.model import Filters

DATABASE = "reports"
RUNS = 30
SEARCH = 20.0
"""Milliseconds that a search may take."""

# Shapes and sizes as a list of Stripe's gives them, shorter by what no column and no report reads.
_OBJECT = "'livemode', false, 'description', null, 'discount', null, 'test_clock', null, 'filler', repeat('x', 300)"


def _backfill(rows: int) -> tuple[str, ...]:
    return (
        "set synchronous_commit = off",
        """
        insert into stripe_mirror.products (id, data, event_at, event_rank, event_id)
        select 'prod_' || n, jsonb_build_object('id', 'prod_' || n, 'object', 'product', 'name', 'Plan ' || n), now(), 0, '.1'
          from generate_series(0, 3) n
        """,
        f"""
        insert into stripe_mirror.customers (id, data, event_at, event_rank, event_id)
        select id, jsonb_build_object('id', id, 'object', 'customer', 'email', 'member' || n || '@example.com',
                 'name', 'Member ' || n, 'created', 1700000000 + n % 60000000, {_OBJECT}, 'metadata', jsonb_build_object(
                   'membership_type', (array['Adult', 'Family', 'Student', 'Senior', 'Junior'])[1 + n % 5],
                   'member_number', n::text, 'branch', 'branch-' || n * 7 % 40, 'joined', (2015 + n % 11)::text)),
               now(), 0, '.1'
          from (select n, 'cus_' || lpad(n::text, 12, '0') as id from generate_series(1, {rows}) n) numbered
        """,
        # Over two years; a third has ended again, a twentieth tries, one in forty is past due.
        f"""
        insert into stripe_mirror.subscriptions (id, data, event_at, event_rank, event_id)
        select id, jsonb_build_object('id', id, 'object', 'subscription', 'customer', 'cus_' || lpad(n::text, 12, '0'),
                 'created', born, 'start_date', born, 'currency', currency, 'status', status, {_OBJECT},
                 'ended_at', case status when 'canceled' then born + 86400 * (20 + n % 300) end,
                 'metadata', jsonb_build_object('subscription_type', (array['Basic', 'Plus', 'Premium', 'Studio'])[1 + n % 4],
                                                'source', (array['web', 'desk'])[1 + n % 2]),
                 'items', jsonb_build_object('data', jsonb_build_array(jsonb_build_object('quantity', 1,
                   'current_period_end', extract(epoch from now())::bigint + n % 2592000,
                   'price', jsonb_build_object('unit_amount', 900 + 1000 * (n % 4), 'product', 'prod_' || n % 4,
                     'recurring', jsonb_build_object('interval', 'month', 'interval_count', 1, 'usage_type', 'licensed')))))),
               now(), 0, '.1'
          from (select n, 'sub_' || lpad(n::text, 12, '0') as id,
                       extract(epoch from now())::bigint - (n::bigint * 7919 % 63072000) as born,
                       (array['eur', 'eur', 'eur', 'usd'])[1 + n % 4] as currency,
                       case when n % 3 = 0 then 'canceled' when n % 20 = 1 then 'trialing' when n % 40 = 2 then 'past_due'
                            else 'active' end as status
                  from generate_series(1, {rows}) n) numbered
        """,
        # A tenth paid less three months ago.
        f"""
        insert into stripe_mirror.events (id, type, kind, object_id, at, rank, payload, created_at)
        select 'evt_' || n, 'customer.subscription.updated', 'subscriptions', id, now() - interval '90 days', 5,
               jsonb_build_object('id', 'evt_' || n, 'data', jsonb_build_object('object',
                 jsonb_set(data, '{{items,data,0,price,unit_amount}}', '500'))), now() - interval '1 day'
          from (select substring(id from 5)::bigint as n, id, data from stripe_mirror.subscriptions) s
         where n % 10 = 0 and n <= {rows}
        """,
        "vacuum analyze stripe_mirror.customers, stripe_mirror.subscriptions, stripe_mirror.events",
    )  # fmt: skip


def measure(env: Environment, *, rows: int) -> list[Line]:
    """Searches, what reports stand on, and the reports."""
    env.copy(DATABASE)
    started = time.perf_counter()
    env.run(DATABASE, *_backfill(rows))
    filled = time.perf_counter() - started
    return asyncio.run(_measure(env, rows, filled))


async def _measure(env: Environment, rows: int, filled: float) -> list[Line]:
    db = Database(env.uri("app", DATABASE), size=2)
    await db.open()
    try:
        lines = [await _search(db, what, filters) for what, filters in _searches(rows)]
        naive = f"select * from stripe_mirror.customers where metadata ->> 'member_number' = '{rows // 2}'"
        lines[0].base = (await _timed(lambda: asyncio.to_thread(env.run, DATABASE, naive), 3)) * 1000
        lines[0].ratio = lines[0].ours / lines[0].base
        lines[0].note = "base: metadata ->> key = value"
        lines.append(await _once("keys and values counted", lambda: _count(db)))
        lines.append(await _once(f"history of {rows:,} worked out", lambda: report_actions.refresh(db, rebuild=True)))
        lines.append(Line("the same with nothing new", await _timed(lambda: report_actions.refresh(db), 5) * 1000, None, "ms"))
        for name in REPORTS:
            lines.append(await _once(f"report {name}", lambda name=name: report_actions.figures(db, name), times=3))  # noqa: PERF401
        lines.append(Line(f"making {rows:,} of each", filled, None, "s"))
    finally:
        await db.close()
    return lines


def _searches(rows: int) -> list[tuple[str, Filters]]:
    premium = {"subscription_type": "Premium"}
    return [
        ("search: one member", Filters(metadata={"member_number": str(rows // 2)})),
        ("search: a fifth", Filters(metadata={"membership_type": "Adult"})),
        ("search: one in forty", Filters(metadata={"branch": "branch-7"})),
        ("search: one in 2,200", Filters(metadata={"branch": "branch-7", "membership_type": "Junior", "joined": "2020"})),
        ("search: nobody", Filters(metadata={"membership_type": "Ghost"})),
        ("search: of a subscription", Filters(metadata={"membership_type": "Adult"}, subscription=premium)),
        ("search: by address", Filters(q=f"member{rows // 3}@example.com")),
    ]  # fmt: skip


async def _search(db: Database, what: str, filters: Filters) -> Line:
    async def once() -> None:
        async with db.tx() as tx:
            await members.customers(tx, filters, limit=51)

    return Line(what, await _timed(once, RUNS) * 1000, None, "ms", below=SEARCH)


async def _count(db: Database) -> None:
    async with db.tx() as tx:
        await actions.count_metadata(tx, waiting=False)


async def _once(what: str, work: Callable[[], Awaitable[Any]], *, times: int = 1) -> Line:
    return Line(what, await _timed(work, times), None, "s")


async def _timed(work: Callable[[], Awaitable[Any]], times: int) -> float:
    """The median, in seconds."""
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
