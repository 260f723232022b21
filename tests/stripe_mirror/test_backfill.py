"""Backfill: lists are read completely and concurrently, within Stripe's limits, and never overwrite newer webhooks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.stripe_lists import KEY, StripeListsFake
from tests.stripe_mirror.helpers import ingest, row, value
from vetrina.core.errors import Refusal
from vetrina.core.retry import Backoff
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill import actions as backfill_actions
from vetrina.stripe_mirror.backfill.list_reader import Progress
from vetrina.stripe_mirror.client import Reader, StripeRefused, StripeUnavailable
from vetrina.stripe_mirror.consistency import rebuild
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import tie_resolution
from vetrina.stripe_mirror.model import AlreadyRunning, ApiKeyMissing

NOW = int(time.time())
DAY = 86400


@pytest.fixture
def settings(settings: Settings, lists: StripeListsFake) -> Settings:
    """Add the fake's API key to the settings."""
    return replace(settings, stripe_api_key=KEY, stripe_api_base=lists.url)


def customers(count: int, *, spread: int = 400 * DAY) -> list[dict[str, Any]]:
    """Return customers created in the last year, with rising density."""
    return [sample.customer(n, int(NOW - spread * (1 - ((n + 1) / (count + 1)) ** 0.5))) for n in range(count)]


async def count(services: Services, kind: str) -> int:
    """Count the rows of a kind."""
    return await value(services.db, f"select count(*) from stripe_mirror.{kind}")


async def test_backfill_reads_the_whole_list_concurrently(services: Services, lists: StripeListsFake) -> None:
    objects = customers(730)
    lists.put("customers", *objects)
    reported: list[Progress] = []
    lists.delay = 0.01
    result = await backfill_actions.backfill(
        services, ["customers"], on_progress=lambda state: reported.append(copy_progress(state))
    )
    assert [(item.kind, item.fetched, item.changed) for item in result] == [("customers", 730, 730)]
    assert await count(services, "customers") == 730
    for item in objects[::97]:
        assert await row(services.db, "customers", item["id"]) == item
    assert lists.most_at_once > 3, "pages are read side by side"
    assert lists.calls["customers"] < 60
    assert reported[-1].fetched == 730 and abs(reported[-1].expected - 730) < 1
    assert await value(services.db, "select count(*) from stripe_mirror.staged") == 0
    again = await backfill_actions.backfill(services, ["customers"])
    assert (again[0].fetched, again[0].resumed, again[0].unresolved) == (730, 0, 0)


def copy_progress(now: Progress) -> Progress:
    """Copy the progress."""
    return Progress(now.kind, now.fetched, now.expected, now.changed)


@pytest.mark.parametrize("spread", [0, 1, 5])
async def test_backfill_of_many_objects_in_one_second(services: Services, lists: StripeListsFake, spread: int) -> None:
    lists.put("customers", *(sample.customer(n, NOW - 50 + n % (spread + 1)) for n in range(420)))
    await backfill_actions.backfill(services, ["customers"])
    assert await count(services, "customers") == 420


async def test_backfill_includes_canceled_subscriptions(services: Services, lists: StripeListsFake) -> None:
    lists.put("subscriptions", *(sample.subscription(n, NOW - n * 999, status="canceled") for n in range(5)))
    await backfill_actions.backfill(services, ["subscriptions"])
    assert await value(services.db, "select count(*) from stripe_mirror.subscriptions where status = 'canceled'") == 5


async def test_backfill_expands_discounts_and_fetches_unknown_coupons(services: Services, lists: StripeListsFake) -> None:
    term = {"id": "di_1", "object": "discount", "source": {"type": "coupon", "coupon": "TEN"}, "end": None}
    ten = {"id": "TEN", "object": "coupon", "created": NOW - 90 * DAY, "duration": "forever", "percent_off": 10.0}
    lists.put("subscriptions", {**sample.subscription(1, NOW - DAY), "discounts": [term]})
    lists.put("coupons", ten)
    await backfill_actions.backfill(services, ["subscriptions"])
    listed = next(query for path, query in lists.requests if path == "subscriptions" and "created[gte]" in query)
    assert {listed["expand[0]"], listed["expand[1]"]} == {"data.discounts", "data.items.data.discounts"}
    assert await row(services.db, "subscriptions", "sub_sample0000000001", "data -> 'discounts'") == ["di_1"]
    assert await value(services.db, "select data from stripe_mirror.discounts where id = 'di_1'") == term
    assert await value(services.db, "select object_id from stripe_mirror.unsettled where kind = 'coupons'") == "TEN"
    await tie_resolution.resolve_ties(services)
    assert await row(services.db, "coupons", "TEN", "duration") == "forever"
    (same,) = await rebuild.compare(services, ["subscriptions"])
    assert same.differences == []


async def test_backfill_since_a_date(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *(sample.customer(n, NOW - n * DAY) for n in range(20)))
    await backfill_actions.backfill(services, ["customers"], since=datetime.fromtimestamp(NOW - 5 * DAY, UTC))
    assert await count(services, "customers") == 6


async def test_deleted_customers_are_backfilled(services: Services, lists: StripeListsFake) -> None:
    """A customer that is no longer listed, and one that only a subscription refers to."""
    await ingest(services.db, [sample.event("customer.created", sample.customer(1, NOW - DAY), NOW - DAY, 1)])
    lists.put("subscriptions", sample.subscription(2, NOW - DAY))
    lists.remove("customers", "cus_sample0000000001", "cus_sample0000000002")
    result = await backfill_actions.backfill(services, ["customers", "subscriptions"])
    assert [item.unresolved for item in result] == [1, 0]
    resolved = await tie_resolution.resolve_ties(services)
    assert (resolved.fetched, resolved.deleted, resolved.failed) == (4, 4, 0)  # including product and price
    for name in ("cus_sample0000000001", "cus_sample0000000002"):
        assert await row(services.db, "customers", name, "deleted_at is not null") is True
    assert await row(services.db, "customers", "cus_sample0000000001", "name") == "Member 1"
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled") == 0


async def test_backfill_keeps_newer_webhook_data(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(40))
    newer = {**lists._shelves["customers"].whole["cus_sample0000000003"], "name": "told"}  # pyright: ignore[reportPrivateUsage]
    lists.delay = 1.2  # the customer changes after the list was read and before it is stored

    async def update() -> None:
        await asyncio.sleep(1.3)
        await ingest(services.db, [sample.event("customer.updated", newer, int(time.time()) + 1, 1)])

    await asyncio.gather(backfill_actions.backfill(services, ["customers"]), update())
    assert await row(services.db, "customers", "cus_sample0000000003", "name") == "told"
    assert await count(services, "customers") == 40


async def test_nested_lists_are_completed(services: Services, lists: StripeListsFake) -> None:
    long = sample.subscription(1, NOW - 100, items=23)
    invoice = sample.invoice(1, NOW - 90)
    invoice["lines"]["data"] = [{"id": f"il_{n}", "object": "line_item", "amount": n} for n in range(211)]
    lists.put("subscriptions", long)
    lists.put("invoices", invoice)
    lists.put("customers", sample.customer(1, NOW - 200))
    await backfill_actions.backfill(services, ["subscriptions", "invoices"])
    assert await row(services.db, "subscriptions", long["id"], "data -> 'items' -> 'data'") == long["items"]["data"]
    assert await row(services.db, "invoices", invoice["id"], "jsonb_array_length(data #> '{lines,data}')") == 211
    # A webhook has the first ten; the rest is fetched.
    cut = {**long, "items": {**long["items"], "data": long["items"]["data"][:10], "has_more": True}}
    await ingest(services.db, [sample.event("customer.subscription.updated", cut, int(time.time()) - 3, 9)])
    await tie_resolution.resolve_ties(services)
    assert await row(services.db, "subscriptions", long["id"], "jsonb_array_length(data #> '{items,data}')") == 23
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled where reason = 'list'") == 0


async def test_retry_after_is_honoured(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(150))
    lists.throttle(3, seconds=0.7)
    started = time.monotonic()
    await backfill_actions.backfill(services, ["customers"])
    assert time.monotonic() - started > 0.7
    assert lists.refused == 3
    assert await count(services, "customers") == 150


async def test_backfill_adapts_to_a_rate_limit(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(900, spread=9 * DAY))
    lists.per_second = 12
    await backfill_actions.backfill(services, ["customers"])
    assert await count(services, "customers") == 900
    assert lists.refused < lists.calls["customers"] / 2


async def test_interrupted_backfill_is_resumed(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(600))
    lists.delay = 0.1
    task = asyncio.create_task(backfill_actions.backfill(services, ["customers"], at_once=2))
    while await value(services.db, "select count(*) from stripe_mirror.customers") < 150:
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    had, lists.delay, before = await count(services, "customers"), 0, lists.calls["customers"]
    result = await backfill_actions.backfill(services, ["customers"])
    assert 0 < result[0].resumed <= had
    assert result[0].fetched == 600 == await count(services, "customers")
    assert lists.calls["customers"] - before < 40


async def test_second_backfill_is_refused_while_one_runs(services: Services, lists: StripeListsFake) -> None:
    async with backfill_actions.exclusive_lock(services, "lists"):
        with pytest.raises(AlreadyRunning):
            await backfill_actions.backfill(services, ["customers"])
    await backfill_actions.backfill(services, ["customers"])


async def test_missing_or_invalid_api_key(services: Services, lists: StripeListsFake) -> None:
    services.settings = replace(services.settings, stripe_api_key="")
    with pytest.raises(ApiKeyMissing):
        await backfill_actions.backfill(services, ["customers"])
    services.settings = replace(services.settings, stripe_api_key="sk_test_of_another")
    with pytest.raises(StripeRefused, match="Invalid API Key"):
        await backfill_actions.backfill(services, ["customers"])


async def test_unreachable_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vetrina.stripe_mirror.client.BACKOFF", Backoff(tries=2, first=0.01))
    async with Reader(KEY, "http://127.0.0.1:9") as reader:
        with pytest.raises(StripeUnavailable):
            await reader.server_time("/v1/customers")


async def test_reconcile_ingests_missed_events(services: Services, lists: StripeListsFake) -> None:
    reported = sample.event("customer.created", sample.customer(1, NOW - 900), NOW - 900, 1)
    lost = sample.event("customer.updated", {**sample.customer(1, NOW - 900), "name": "lost"}, NOW - 800, 2)
    late = sample.event("customer.deleted", sample.customer(2, NOW - 900), NOW - 700, 3)
    await ingest(services.db, [reported])
    lists.put("events", reported, lost, late)
    assert (await backfill_actions.reconcile(services)).changed == 2
    assert await row(services.db, "customers", "cus_sample0000000001", "name") == "lost"
    assert await row(services.db, "customers", "cus_sample0000000002", "deleted_at is not null") is True
    lists.requests.clear()
    lists.put("events", sample.event("customer.updated", {**sample.customer(1, NOW), "name": "new"}, NOW, 4))
    assert (await backfill_actions.reconcile(services)).changed == 1
    since = min(int(query.get("created[gte]", NOW)) for _, query in lists.requests)
    assert NOW - 700 < since < NOW, "only what may be new is asked for"


async def test_ties_are_resolved_by_fetching(services: Services, lists: StripeListsFake) -> None:
    one = sample.customer(1, NOW - 900)
    lists.put("customers", {**one, "name": "right"})
    at = int(time.time()) - 5
    await ingest(services.db, [sample.event("customer.updated", {**one, "name": name}, at, name) for name in ("a", "b")])
    result = await tie_resolution.resolve_ties(services)
    assert (result.fetched, result.deleted, result.failed) == (1, 0, 0)
    assert await row(services.db, "customers", one["id"], "name") == "right"
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled") == 0


async def test_fetch_within_the_same_second_does_not_resolve(services: Services, lists: StripeListsFake) -> None:
    one = sample.customer(1, NOW - 900)
    lists.put("customers", {**one, "name": "asked"})
    at = int(time.time()) + 3  # Stripe's clock is ahead of ours: that second has not passed
    await ingest(services.db, [sample.event("customer.updated", {**one, "name": name}, at, name) for name in ("a", "b")])
    await resolve_now(services)
    assert await row(services.db, "customers", one["id"], "name") == "b"
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled") == 1


async def resolve_now(services: Services) -> None:
    """Resolve without waiting for the second to pass."""
    async with Reader.from_settings(services.settings) as reader:
        page = await reader.retrieve("/v1/customers", "customer", "cus_sample0000000001")
    async with services.db.tx() as tx:
        await tie_resolution.store(tx, "customers", "cus_sample0000000001", page)


async def test_failed_fetch_is_retried_later(services: Services, lists: StripeListsFake) -> None:
    one = sample.customer(1, NOW - 900)
    at = int(time.time()) - 5
    await ingest(services.db, [sample.event("customer.updated", {**one, "name": name}, at, name) for name in ("a", "b")])
    services.settings = replace(services.settings, stripe_api_key="sk_test_of_another")
    assert (await tie_resolution.resolve_ties(services)).failed == 1
    async with services.db.read() as tx:
        status = {item.kind: item for item in await tx.fetch_all(queries.STATUS)}["customers"]
    assert (status.rows, status.events, status.unresolved, status.failing) == (1, 2, 1, 1)
    assert status.last_error is not None and "Invalid API Key" in status.last_error
    assert (await tie_resolution.resolve_ties(services)).failed == 0, "it waits before it is tried again"


async def test_object_of_the_other_mode_is_not_deleted(services: Services, lists: StripeListsFake) -> None:
    lists.foreign.add("cus_sample0000000001")
    async with Reader.from_settings(services.settings) as reader:
        with pytest.raises(Refusal, match="similar object exists"):
            await reader.retrieve("/v1/customers", "customer", "cus_sample0000000001")
