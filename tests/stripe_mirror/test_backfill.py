"""Lists are read whole, side by side, within Stripe's limits, and never over what webhooks told later."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.stripe_lists import KEY, StripeListsFake
from tests.stripe_mirror.helpers import row, take, value
from vetrina.core.errors import Refusal
from vetrina.core.services import Services
from vetrina.core.settings import Settings
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill import actions as filling
from vetrina.stripe_mirror.backfill.list_reader import Progress
from vetrina.stripe_mirror.client import Reader, StripeAway, StripeRefused
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import tie_resolution as settling
from vetrina.stripe_mirror.model import NoKey, UnderWay

NOW = int(time.time())
DAY = 86400


@pytest.fixture
def settings(settings: Settings, lists: StripeListsFake) -> Settings:
    """Settings with a key for the fake."""
    return replace(settings, stripe_api_key=KEY, stripe_api_base=lists.url)


def customers(count: int, *, spread: int = 400 * DAY) -> list[dict[str, Any]]:
    """Customers of the last year, more and more of them."""
    return [sample.customer(n, int(NOW - spread * (1 - ((n + 1) / (count + 1)) ** 0.5))) for n in range(count)]


async def count(services: Services, kind: str) -> int:
    """Rows of a kind."""
    return await value(services.db, f"select count(*) from stripe_mirror.{kind}")


async def test_everything_that_is_listed_is_here(services: Services, lists: StripeListsFake) -> None:
    made = customers(730)
    lists.put("customers", *made)
    told: list[Progress] = []
    lists.delay = 0.01
    found = await filling.backfill(services, ["customers"], tell=lambda now: told.append(replace_(now)))
    assert [(each.kind, each.fetched, each.changed) for each in found] == [("customers", 730, 730)]
    assert await count(services, "customers") == 730
    for each in made[::97]:
        assert await row(services.db, "customers", each["id"]) == each
    assert lists.most_at_once > 3, "pages are read side by side"
    assert lists.calls["customers"] < 60
    assert told[-1].fetched == 730 and abs(told[-1].expected - 730) < 1
    assert await value(services.db, "select count(*) from stripe_mirror.staged") == 0
    again = await filling.backfill(services, ["customers"])
    assert (again[0].fetched, again[0].resumed, again[0].doubted) == (730, 0, 0)


def replace_(now: Progress) -> Progress:
    """A copy."""
    return Progress(now.kind, now.fetched, now.expected, now.changed)


@pytest.mark.parametrize("spread", [0, 1, 5])
async def test_many_of_one_second(services: Services, lists: StripeListsFake, spread: int) -> None:
    lists.put("customers", *(sample.customer(n, NOW - 50 + n % (spread + 1)) for n in range(420)))
    await filling.backfill(services, ["customers"])
    assert await count(services, "customers") == 420


async def test_canceled_subscriptions_too(services: Services, lists: StripeListsFake) -> None:
    lists.put("subscriptions", *(sample.subscription(n, NOW - n * 999, status="canceled") for n in range(5)))
    await filling.backfill(services, ["subscriptions"])
    assert await value(services.db, "select count(*) from stripe_mirror.subscriptions where status = 'canceled'") == 5


async def test_since(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *(sample.customer(n, NOW - n * DAY) for n in range(20)))
    await filling.backfill(services, ["customers"], since=datetime.fromtimestamp(NOW - 5 * DAY, UTC))
    assert await count(services, "customers") == 6


async def test_deleted_customers(services: Services, lists: StripeListsFake) -> None:
    """One that was here and is listed no more, and one that only a subscription knows."""
    await take(services.db, [sample.event("customer.created", sample.customer(1, NOW - DAY), NOW - DAY, 1)])
    lists.put("subscriptions", sample.subscription(2, NOW - DAY))
    lists.remove("customers", "cus_sample0000000001", "cus_sample0000000002")
    found = await filling.backfill(services, ["customers", "subscriptions"])
    assert [each.doubted for each in found] == [1, 0]
    settled = await settling.settle(services)
    assert (settled.fetched, settled.gone, settled.failed) == (4, 4, 0)  # with the product and the price
    for name in ("cus_sample0000000001", "cus_sample0000000002"):
        assert await row(services.db, "customers", name, "deleted_at is not null") is True
    assert await row(services.db, "customers", "cus_sample0000000001", "name") == "Member 1"
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled") == 0


async def test_never_over_what_webhooks_told_later(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(40))
    newer = {**lists._shelves["customers"].whole["cus_sample0000000003"], "name": "told"}  # pyright: ignore[reportPrivateUsage]
    lists.delay = 1.2  # the list is read, and on its way the customer changes

    async def tell() -> None:
        await asyncio.sleep(1.3)
        await take(services.db, [sample.event("customer.updated", newer, int(time.time()) + 1, 1)])

    await asyncio.gather(filling.backfill(services, ["customers"]), tell())
    assert await row(services.db, "customers", "cus_sample0000000003", "name") == "told"
    assert await count(services, "customers") == 40


async def test_lists_longer_than_ten(services: Services, lists: StripeListsFake) -> None:
    long = sample.subscription(1, NOW - 100, items=23)
    invoice = sample.invoice(1, NOW - 90)
    invoice["lines"]["data"] = [{"id": f"il_{n}", "object": "line_item", "amount": n} for n in range(211)]
    lists.put("subscriptions", long)
    lists.put("invoices", invoice)
    lists.put("customers", sample.customer(1, NOW - 200))
    await filling.backfill(services, ["subscriptions", "invoices"])
    assert await row(services.db, "subscriptions", long["id"], "data -> 'items' -> 'data'") == long["items"]["data"]
    assert await row(services.db, "invoices", invoice["id"], "jsonb_array_length(data #> '{lines,data}')") == 211
    # A webhook brings ten of them: the rest is asked for.
    cut = {**long, "items": {**long["items"], "data": long["items"]["data"][:10], "has_more": True}}
    await take(services.db, [sample.event("customer.subscription.updated", cut, int(time.time()) - 3, 9)])
    await settling.settle(services)
    assert await row(services.db, "subscriptions", long["id"], "jsonb_array_length(data #> '{items,data}')") == 23
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled where reason = 'list'") == 0


async def test_429_is_honoured(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(150))
    lists.throttle(3, seconds=0.7)
    started = time.monotonic()
    await filling.backfill(services, ["customers"])
    assert time.monotonic() - started > 0.7
    assert lists.refused == 3
    assert await count(services, "customers") == 150


async def test_a_limit_of_calls_a_second_is_kept_to(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(900, spread=9 * DAY))
    lists.per_second = 12
    await filling.backfill(services, ["customers"])
    assert await count(services, "customers") == 900
    assert lists.refused < lists.calls["customers"] / 2


async def test_one_that_was_cut_short_goes_on(services: Services, lists: StripeListsFake) -> None:
    lists.put("customers", *customers(600))
    lists.delay = 0.1
    task = asyncio.create_task(filling.backfill(services, ["customers"], at_once=2))
    while await value(services.db, "select count(*) from stripe_mirror.customers") < 150:
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    had, lists.delay, before = await count(services, "customers"), 0, lists.calls["customers"]
    found = await filling.backfill(services, ["customers"])
    assert 0 < found[0].resumed <= had
    assert found[0].fetched == 600 == await count(services, "customers")
    assert lists.calls["customers"] - before < 40


async def test_only_one_at_a_time(services: Services, lists: StripeListsFake) -> None:
    async with filling.alone(services, "lists"):
        with pytest.raises(UnderWay):
            await filling.backfill(services, ["customers"])
    await filling.backfill(services, ["customers"])


async def test_without_a_key_or_with_a_wrong_one(services: Services, lists: StripeListsFake) -> None:
    services.settings = replace(services.settings, stripe_api_key="")
    with pytest.raises(NoKey):
        await filling.backfill(services, ["customers"])
    services.settings = replace(services.settings, stripe_api_key="sk_test_of_another")
    with pytest.raises(StripeRefused, match="Invalid API Key"):
        await filling.backfill(services, ["customers"])


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vetrina.stripe_mirror.client.TRIES", 2)
    async with Reader(KEY, "http://127.0.0.1:9") as reader:
        with pytest.raises(StripeAway):
            await reader.now("/v1/customers")


async def test_events_that_no_webhook_brought(services: Services, lists: StripeListsFake) -> None:
    told = sample.event("customer.created", sample.customer(1, NOW - 900), NOW - 900, 1)
    lost = sample.event("customer.updated", {**sample.customer(1, NOW - 900), "name": "lost"}, NOW - 800, 2)
    late = sample.event("customer.deleted", sample.customer(2, NOW - 900), NOW - 700, 3)
    await take(services.db, [told])
    lists.put("events", told, lost, late)
    assert (await filling.reconcile(services)).changed == 2
    assert await row(services.db, "customers", "cus_sample0000000001", "name") == "lost"
    assert await row(services.db, "customers", "cus_sample0000000002", "deleted_at is not null") is True
    lists.asked.clear()
    lists.put("events", sample.event("customer.updated", {**sample.customer(1, NOW), "name": "new"}, NOW, 4))
    assert (await filling.reconcile(services)).changed == 1
    since = min(int(query.get("created[gte]", NOW)) for _, query in lists.asked)
    assert NOW - 700 < since < NOW, "only what may be new is asked for"


async def test_ties_are_settled_by_fetching(services: Services, lists: StripeListsFake) -> None:
    one = sample.customer(1, NOW - 900)
    lists.put("customers", {**one, "name": "right"})
    at = int(time.time()) - 5
    await take(services.db, [sample.event("customer.updated", {**one, "name": name}, at, name) for name in ("a", "b")])
    found = await settling.settle(services)
    assert (found.fetched, found.gone, found.failed) == (1, 0, 0)
    assert await row(services.db, "customers", one["id"], "name") == "right"
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled") == 0


async def test_what_is_fetched_in_its_second_settles_nothing(services: Services, lists: StripeListsFake) -> None:
    one = sample.customer(1, NOW - 900)
    lists.put("customers", {**one, "name": "asked"})
    at = int(time.time()) + 3  # Stripe's clock is ahead of ours: it has not passed that second yet
    await take(services.db, [sample.event("customer.updated", {**one, "name": name}, at, name) for name in ("a", "b")])
    await services_settle_now(services)
    assert await row(services.db, "customers", one["id"], "name") == "b"
    assert await value(services.db, "select count(*) from stripe_mirror.unsettled") == 1


async def services_settle_now(services: Services) -> None:
    """Settle without waiting for the second to pass."""
    async with Reader.of(services.settings) as reader:
        page = await reader.one("/v1/customers", "customer", "cus_sample0000000001")
    async with services.db.tx() as tx:
        await settling.keep(tx, "customers", "cus_sample0000000001", page)


async def test_what_cannot_be_fetched_is_tried_again_later(services: Services, lists: StripeListsFake) -> None:
    one = sample.customer(1, NOW - 900)
    at = int(time.time()) - 5
    await take(services.db, [sample.event("customer.updated", {**one, "name": name}, at, name) for name in ("a", "b")])
    services.settings = replace(services.settings, stripe_api_key="sk_test_of_another")
    assert (await settling.settle(services)).failed == 1
    async with services.db.read() as tx:
        status = {each.kind: each for each in await tx.all(queries.STATUS)}["customers"]
    assert (status.rows, status.events, status.unsettled, status.failing) == (1, 2, 1, 1)
    assert status.last_error is not None and "Invalid API Key" in status.last_error
    assert (await settling.settle(services)).failed == 0, "it waits before it is tried again"


async def test_an_object_of_the_other_mode_is_not_taken_for_deleted(services: Services, lists: StripeListsFake) -> None:
    lists.foreign.add("cus_sample0000000001")
    async with Reader.of(services.settings) as reader:
        with pytest.raises(Refusal, match="similar object exists"):
            await reader.one("/v1/customers", "customer", "cus_sample0000000001")
