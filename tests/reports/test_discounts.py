"""Recurring revenue with discounts: worked cases with exact figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reports.helpers import changed, column, event, made, moment, rows
from tests.reports.prices import DAY, ITEM, closing, coupon, discount, given, on_item, priced
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports import actions
from vetrina.stripe_mirror.ingest import actions as mirror


@pytest.mark.parametrize(
    ("coupons", "net", "temporary"),
    [([("forever", {"percent_off": 25})], 750, 0),
     ([("forever", {"amount_off": 300, "currency": "eur"})], 700, 0),
     ([("forever", {"amount_off": 300, "currency": "usd"})], 1000, 0),
     ([("forever", {"amount_off": 300, "currency": "usd", "currency_options": {"eur": {"amount_off": 280}}})], 720, 0),
     ([("forever", {"amount_off": 5000, "currency": "eur"})], 0, 0),
     ([("forever", {"percent_off": 12.5})], 875, 0),
     ([("once", {"percent_off": 50})], 1000, 500),
     ([("repeating", {"percent_off": 50, "duration_in_months": 3})], 1000, 500),
     ([("forever", {"percent_off": 20}), ("forever", {"amount_off": 100, "currency": "eur"})], 700, 0),
     ([("forever", {"amount_off": 100, "currency": "eur"}), ("forever", {"percent_off": 20})], 720, 0),
     ([("forever", {"percent_off": 20}), ("once", {"percent_off": 50})], 800, 400)],
)  # fmt: skip
async def test_discounts_of_a_subscription(db: Database, coupons: list[Any], net: int, temporary: int) -> None:
    """Those that last for ever are deducted, in their order; those that end are shown apart."""
    data = priced(1000, sub={"discounts": [f"di_{n}" for n in range(len(coupons))]})
    await ingest(db, [made(data, DAY)])
    for n, (duration, fields) in enumerate(coupons):
        end = "2026-04-10" if duration == "repeating" else None
        await ingest(db, [given(f"di_{n}", f"C{n}", end=end), coupon(f"C{n}", duration, **fields)])
    assert (await closing(db), await closing(db, name="temporary")) == (net, temporary)
    assert await actions.verify(db) == []


async def test_discounts_of_an_item_come_before_those_of_the_subscription(db: Database) -> None:
    data = priced(1000, sub={"discounts": ["di_all"]})
    second = {**data["items"]["data"][0], "id": "si_second", "price": {**data["items"]["data"][0]["price"], "unit_amount": 3000}}
    data["items"]["data"].append(second)
    await ingest(db, [
        coupon("TEN", percent_off=10), coupon("HALF", percent_off=50), given("di_all", "TEN"),
        given("di_item", "HALF", subscription_item=ITEM), made(on_item(data, "di_item"), DAY),
    ])  # fmt: skip
    assert await closing(db) == round((500 + 3000) * 0.9)


async def test_amount_off_several_items_and_products(db: Database) -> None:
    data = priced(1000, sub={"discounts": ["di_1", "di_2"]})
    first = data["items"]["data"][0]
    data["items"]["data"].append({**first, "id": "si_2", "price": {**first["price"], "unit_amount": 3000, "product": "prod_b"}})
    await ingest(db, [
        coupon("LESS", amount_off=800, currency="eur"), given("di_1", "LESS"),
        coupon("ONLY", percent_off=50, applies_to={"products": ["prod_b"]}), given("di_2", "ONLY"), made(data, DAY),
    ])  # fmt: skip
    # 800 off 4000 leaves 800 and 2400, of which the second is halved.
    assert await closing(db) == 800 + 1200


async def test_yearly_price_with_amount_off(db: Database) -> None:
    data = priced(12000, sub={"interval": "year", "discounts": ["di_1"]})
    await ingest(db, [coupon("LESS", amount_off=2400, currency="eur"), given("di_1", "LESS"), made(data, DAY)])
    assert await closing(db) == 800


async def test_repeating_discount_ends_without_an_event(db: Database) -> None:
    data = priced(1000, sub={"discounts": ["di_1"]})
    await ingest(db, [
        coupon("THREE", "repeating", percent_off=30, duration_in_months=3), given("di_1", "THREE", end="2026-04-10"),
        made(data, DAY),
    ])  # fmt: skip
    days = ("2026-02-28", "2026-04-09", "2026-04-10")
    assert [await closing(db, day, "temporary") for day in days] == [300, 300, 0]
    assert [await closing(db, day) for day in days] == [1000, 1000, 1000]
    assert await actions.verify(db) == []


async def test_removed_discount_counts_until_its_removal(db: Database) -> None:
    data = priced(1000, sub={"discounts": ["di_1"]})
    await ingest(db, [coupon("HALF", percent_off=50), given("di_1", "HALF"), made(data, DAY),
                      changed(data, "2026-03-01", discounts=[])])  # fmt: skip
    assert [await closing(db, day) for day in ("2026-02-28", "2026-03-01")] == [500, 1000]
    assert column(await rows(db, "mrr", "2026-03-31", 1), "expansion") == [500]


async def test_older_shapes_of_discounts(db: Database) -> None:
    """Before 2025-09-30 a discount had its coupon expanded; before discounts were a list there was one, expanded."""
    old = {**discount("di_1", ""), "coupon": {"id": "OLD", "object": "coupon", "percent_off": 40, "duration": "forever"}}
    del old["source"]
    single = priced(1000, sub={"discount": old})
    del single["discounts"]
    both = priced(1000, number=2, sub={"discount": old, "discounts": ["di_1"]})
    await ingest(db, [made(single, DAY), made(both, DAY)])
    assert await closing(db) == 600 + 600
    await ingest(
        db, [event("customer.discount.created", old, DAY), changed(priced(1000, sub={"discounts": ["di_1"]}), "2026-01-11")]
    )
    assert await closing(db) == 600 + 600


async def test_fetched_discounts_are_stored_and_the_object_keeps_its_shape(db: Database) -> None:
    expanded = on_item(priced(1000, sub={"discounts": [discount("di_1", "TEN")]}), discount("di_2", "HALF"))
    async with db.tx() as tx:
        await mirror.ingest_objects(tx, "subscriptions", json.dumps([expanded]), moment(DAY), moment(DAY))
        held = await (await tx.connection.execute("select data from stripe_mirror.subscriptions")).fetchone()
    assert held == (on_item(priced(1000, sub={"discounts": ["di_1"]}), "di_2"),)
    assert await closing(db) == 1000
    await ingest(db, [coupon("TEN", percent_off=10), coupon("HALF", percent_off=50)])
    assert await closing(db) == 450
    assert await actions.verify(db) == []


async def test_deleted_coupon_still_applies_to_its_subscribers(db: Database) -> None:
    await ingest(
        db, [made(priced(1000, sub={"discounts": ["di_1"]}), DAY), given("di_1", "HALF"), coupon("HALF", percent_off=50)]
    )
    stub = json.dumps([{"id": "HALF", "object": "coupon", "deleted": True}])
    async with db.tx() as tx:
        await mirror.ingest_objects(tx, "coupons", stub, moment("2026-02-01"), moment("2026-02-01"))
    assert await closing(db, "2026-02-28") == 500
    assert await actions.verify(db) == []


async def test_renewal_with_the_remaining_discounts(db: Database) -> None:
    """The period ends on 9 February. A discount that ends before then is not in it, one that is used once is."""
    data = priced(1000, sub={"discounts": ["di_short", "di_once"]})
    await ingest(db, [
        coupon("SHORT", "repeating", percent_off=90), given("di_short", "SHORT", end="2026-02-01"),
        coupon("ONCE", "once", amount_off=300, currency="eur"), given("di_once", "ONCE"), made(data, DAY),
    ])  # fmt: skip
    assert column(await rows(db, "renewals", "2026-01-15", 2), "amount") == [700]


async def test_unknown_discount_takes_nothing_off(db: Database) -> None:
    await ingest(db, [made(priced(1000, sub={"discounts": ["di_never_seen", None, 7]}), DAY)])
    assert await closing(db) == 1000
