"""The state after a set of events does not depend on their order."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.stripe_mirror.helpers import ingest, row, value
from vetrina.core.database.connection import Database
from vetrina.stripe_mirror.consistency import order_test as fuzz
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.consistency.sample_data import AFTER, BEFORE, DAY
from vetrina.stripe_mirror.ingest import actions

AT = 1_760_000_000
ONE = "cus_sample0000000001"


def customer(at: int, number: int, *, verb: str = "updated", **fields: Any) -> dict[str, Any]:
    """Return an event about one customer."""
    return sample.event(f"customer.{verb}", {**sample.customer(1, AT), **fields}, at, f"{at}_{number}")


def kinds_named(name: str) -> str:
    """Return the customer as a list returns it."""
    return json.dumps({"id": ONE, "object": "customer", "name": name})


def when(seconds: float) -> datetime:
    """Convert seconds to a datetime."""
    return datetime.fromtimestamp(seconds, UTC)


async def fetched(db: Database, kind: str, data: str, at: float, began: float | None = None) -> int:
    """Ingest a fetched object."""
    async with db.tx() as tx:
        return await actions.ingest_objects(tx, kind, f"[{data}]", when(at), when(at if began is None else began))


@pytest.mark.parametrize("turned", [False, True])
async def test_two_updates_within_one_second(db: Database, turned: bool) -> None:
    events = [customer(AT, 1, name="first"), customer(AT, 2, name="second")]
    for item in reversed(events) if turned else events:
        await ingest(db, [item])
    assert await row(db, "customers", ONE, "name") == "second"
    # The events cannot tell which was last, so the object is fetched.
    assert await value(db, "select reason from stripe_mirror.unsettled where object_id = %s", ONE) == "tie"
    await fetched(db, "customers", kinds_named("asked"), AT + 3)
    assert await row(db, "customers", ONE, "name") == "asked"


async def test_created_and_updated_in_one_second_are_no_tie(db: Database) -> None:
    await ingest(db, [customer(AT, 2, name="later")], [customer(AT, 9, verb="created", name="at first")])
    assert await row(db, "customers", ONE, "name") == "later"
    assert await value(db, "select count(*) from stripe_mirror.unsettled") == 0


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("late", [-10, 0, 10])
async def test_late_update_does_not_undelete(db: Database, turned: bool, late: int) -> None:
    events = [customer(AT, 2, verb="deleted"), customer(AT + late, 1, name="late")]
    await ingest(db, [events[turned]], [events[not turned]])
    assert await row(db, "customers", ONE, "deleted_at") == when(AT)


async def test_deleted_product_stays_deleted(db: Database) -> None:
    await ingest(db, [sample.event("product.deleted", sample.product(1, AT), AT + 5, 2)])
    await ingest(db, [sample.event("product.updated", sample.product(1, AT), AT + 1, 1)])
    await fetched(db, "products", '{"id": "prod_sample1", "object": "product", "name": "from a stale list"}', AT - 5)
    assert await row(db, "products", "prod_sample1", "deleted_at, name") == (when(AT + 5), "Plus")


async def test_deletion_stub_keeps_the_last_data(db: Database) -> None:
    stub = json.dumps({"id": ONE, "object": "customer", "deleted": True})
    await fetched(db, "customers", stub, AT + 100)
    await ingest(db, [customer(AT, 1, name="known")])
    assert await row(db, "customers", ONE, "name, deleted_at") == ("known", when(AT + 100))
    await fetched(db, "customers", stub, AT + 50)
    assert await row(db, "customers", ONE, "name, deleted_at") == ("known", when(AT + 50))


@pytest.mark.parametrize("turned", [False, True])
async def test_removed_subscription_item(db: Database, turned: bool) -> None:
    events = [
        sample.event("customer.subscription.created", sample.subscription(1, AT, items=3), AT, 1),
        sample.event("customer.subscription.updated", sample.subscription(1, AT, items=1), AT + 9, 2),
    ]
    await ingest(db, [events[turned]], [events[not turned]])
    assert await row(db, "subscriptions", "sub_sample0000000001", "jsonb_array_length(data #> '{items,data}')") == 1


async def test_removed_metadata_is_removed(db: Database) -> None:
    await ingest(db, [customer(AT, 1, metadata={"a": "1", "b": "2"})], [customer(AT + 1, 1, metadata={"b": "2"})])
    assert await row(db, "customers", ONE, "metadata") == {"b": "2"}


async def test_webhook_during_a_backfill(db: Database) -> None:
    page = kinds_named("listed")
    await ingest(db, [customer(AT + 20, 1, name="told")])
    await fetched(db, "customers", page, AT + 10)
    assert await row(db, "customers", ONE, "name") == "told"
    await fetched(db, "customers", page, AT + 20.9)  # the same second: the page may have been read before the event
    assert await row(db, "customers", ONE, "name") == "told"
    await fetched(db, "customers", page, AT + 21)
    assert await row(db, "customers", ONE, "name") == "listed"
    await ingest(db, [customer(AT + 21, 2, name="told in its second")])
    assert await row(db, "customers", ONE, "name") == "told in its second"


async def test_overlapping_fetches(db: Database) -> None:
    older, newer = kinds_named("older"), kinds_named("newer")
    await fetched(db, "customers", newer, AT + 2, AT + 2.5)
    await fetched(db, "customers", older, AT + 1, AT + 1.5)
    assert await row(db, "customers", ONE, "name") == "newer"
    await fetched(db, "customers", older, AT + 2, AT + 2.4)  # within one second, ordered by request time
    assert await row(db, "customers", ONE, "name") == "newer"


async def test_unknown_kinds_and_values(db: Database) -> None:
    await ingest(db, [
        sample.event("gift_card.melted", {"id": "gc_1", "object": "gift_card"}, AT, 1),
        sample.event("balance.available", {"object": "balance"}, AT, 2),
        sample.event("customer.subscription.frozen", {**sample.subscription(1, AT, status="frozen"), "new_field": [{}]}, AT, 3),
    ])  # fmt: skip
    assert await value(db, "select count(*) from stripe_mirror.events where kind is null") == 2
    assert await row(db, "subscriptions", "sub_sample0000000001", "status") == "frozen"


async def test_unexpected_shapes_are_null(db: Database) -> None:
    odd = {"id": ONE, "object": "customer", "created": "soon", "email": {"a": 1}, "balance": 1e40, "metadata": None,
           "livemode": "yes", "address": 5}  # fmt: skip
    await ingest(db, [sample.event("customer.created", odd, AT, 1)])
    result = await row(db, "customers", ONE, "stripe_created_at, email, balance, livemode, metadata")
    assert result == (None, None, None, None, {})
    weird: dict[str, Any] = {**sample.subscription(1, AT), "items": {"data": {"a": 1}}}
    await ingest(db, [sample.event("customer.subscription.created", weird, AT, 2)])
    assert await row(db, "subscriptions", weird["id"], "current_period_end") is None


async def test_amounts_beyond_32_bits(db: Database) -> None:
    data = sample.invoice(1, AT, amount=9_007_199_254_740_993)
    await ingest(db, [sample.event("invoice.paid", data, AT, 1)])
    assert await row(db, "invoices", data["id"], "total, amount_paid, (data ->> 'total')::bigint") == (9007199254740993,) * 3


@pytest.mark.parametrize("shape", [BEFORE, AFTER])
async def test_both_api_shapes(db: Database, shape: str) -> None:
    await ingest(db, [
        sample.event("customer.subscription.created", sample.subscription(1, AT, shape=shape), AT, 1, shape=shape),
        sample.event("invoice.created", sample.invoice(1, AT, shape=shape), AT, 2, shape=shape),
    ])  # fmt: skip
    result = await row(db, "subscriptions", "sub_sample0000000001", "current_period_start, current_period_end, product_id")
    assert result == (when(AT), when(AT + 30 * DAY), "prod_sample1")
    assert await row(db, "invoices", "in_sample0000000001", "subscription_id") == "sub_sample0000000001"


async def test_truncated_lists_are_unresolved(db: Database) -> None:
    data = sample.subscription(1, AT, items=10)
    data["items"]["has_more"] = True
    await ingest(db, [sample.event("customer.subscription.created", data, AT, 1)])
    assert await value(db, "select reason from stripe_mirror.unsettled where kind = 'subscriptions'") == "list"


async def test_invoice_before_its_customer(db: Database) -> None:
    await ingest(db, [sample.event("invoice.paid", sample.invoice(1, AT), AT, 2)])
    await ingest(db, [sample.event("customer.created", sample.customer(1, AT), AT - 5, 1)])
    result = "select count(*) from stripe_mirror.invoices i join stripe_mirror.customers c on c.id = i.customer_id"
    assert await value(db, result) == 1


async def test_state_is_independent_of_order(db: Database) -> None:
    result = await fuzz.run(db, permutations=40, seed=random.randrange(10**6))
    assert result.different == []
    assert result.objects > 2


async def test_order_test_detects_a_wrong_order(db: Database, owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:  # the tests of the mirror share a database
        original = connection.execute("select pg_get_functiondef('stripe_mirror.event_order'::regproc)").fetchone()
        assert original is not None
        connection.execute(
            "create or replace function stripe_mirror.event_order(p_type text) returns smallint language sql immutable "
            "as $$ select (random() * 9)::smallint $$"
        )
        try:
            assert (await fuzz.run(db, permutations=10, seed=1)).different != []
        finally:
            connection.execute(original[0])


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(5))
async def test_state_is_independent_of_a_thousand_orders(db: Database, seed: int) -> None:
    assert (await fuzz.run(db, permutations=1000, seed=seed)).different == []
