"""Recurring revenue of packages, tiers, metered use, discounts, currency options and pauses: worked cases with exact figures.

The shapes are those of Stripe's API: an event has ids of discounts, an event about a discount has the id of its coupon.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reports.helpers import at, canceled, changed, column, event, made, moment, rows, subscription
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports import actions
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import actions as mirror

SUB = "sub_sample0000000001"
ITEM = "si_sample0000000001_0"
DAY = "2026-01-10"
TIERS = [
    {"up_to": 10, "unit_amount": 500, "unit_amount_decimal": "500", "flat_amount": None, "flat_amount_decimal": None},
    {"up_to": 20, "unit_amount": 400, "unit_amount_decimal": "400", "flat_amount": 100, "flat_amount_decimal": "100"},
    {"up_to": None, "unit_amount": 300, "unit_amount_decimal": "300", "flat_amount": None, "flat_amount_decimal": None},
]


def priced(amount: int = 1000, *, quantity: int = 1, number: int = 1, sub: dict[str, Any] | None = None, **price: Any) -> dict:
    """Return a subscription whose item has this price; `sub` are fields of the subscription."""
    result = subscription(number, DAY, amount, **(sub or {}))
    item = result["items"]["data"][0]
    item["quantity"] = quantity
    item["price"] |= price
    return result


def metered(**price: Any) -> dict:
    """Return a subscription to metered use."""
    result = priced(7, **price)
    result["items"]["data"][0]["price"]["recurring"] |= {"usage_type": "metered", "meter": "mtr_1"}
    del result["items"]["data"][0]["quantity"]
    return result


def coupon(name: str, duration: str = "forever", **fields: Any) -> dict:
    """Return the event of a coupon's creation."""
    return event("coupon.created", {
        "id": name, "object": "coupon", "created": at(DAY), "duration": duration, "percent_off": None, "amount_off": None,
        "currency": None, "duration_in_months": None, "livemode": False, "metadata": {}, "name": name, "valid": True, **fields,
    }, "2026-01-01")  # fmt: skip


def discount(name: str, coupon: str | dict, *, end: str | None = None, **fields: Any) -> dict:
    """Return a discount of subscription 1."""
    return {"id": name, "object": "discount", "source": {"type": "coupon", "coupon": coupon}, "customer": "cus_sample0000000001",
            "start": at(DAY), "end": at(end) if end else None, "subscription": SUB, "subscription_item": None,
            "invoice": None, "invoice_item": None, "promotion_code": None, **fields}  # fmt: skip


def given(name: str, coupon: str, *, end: str | None = None, **fields: Any) -> dict:
    """Return the event of a discount."""
    return event("customer.discount.created", discount(name, coupon, end=end, **fields), DAY)


def on_item(data: dict, *discounts: Any) -> dict:
    """Return the subscription with discounts of its first item."""
    first, *others = data["items"]["data"]
    return {**data, "items": {**data["items"], "data": [{**first, "discounts": list(discounts)}, *others]}}


def line(amount: int, item: str = ITEM, *, proration: bool = False) -> dict:
    """Return an invoice line of a subscription item."""
    return {"id": f"il_{item}_{amount}", "object": "line_item", "amount": amount, "currency": "eur",
            "parent": {"type": "subscription_item_details", "invoice_item_details": None, "subscription_item_details": {
                "subscription": SUB, "subscription_item": item, "proration": proration, "invoice_item": None}}}  # fmt: skip


def billed(number: int, day: str, *lines: dict, voided: str | None = None, name: str = "invoice.finalized") -> dict:
    """Return the event of an invoice of subscription 1 that was finalized on `day`."""
    data = sample.invoice(1, at(day), amount=sum(each["amount"] for each in lines))
    data |= {"id": f"in_{number}", "lines": {**data["lines"], "data": list(lines)}}
    data["status_transitions"] |= {"finalized_at": at(day), "voided_at": at(voided) if voided else None}
    return event(name, data, voided or day)


async def closing(db: Database, day: str = "2026-01-31", name: str = "closing", currency: str = "eur") -> int:
    """Return a figure of recurring revenue at the end of a day."""
    return next(iter(column(await rows(db, "mrr", day, 1), name, currency=currency)), 0)


@pytest.mark.parametrize(
    ("quantity", "package", "amount"),
    [(25, {"divide_by": 10, "round": "up"}, 3000), (30, {"divide_by": 10, "round": "up"}, 3000),
     (31, {"divide_by": 10, "round": "up"}, 4000), (25, {"divide_by": 10, "round": "down"}, 2000),
     (25, None, 25000), (0, {"divide_by": 10, "round": "up"}, 0)],
)  # fmt: skip
async def test_packages_are_rounded_as_the_price_says(db: Database, quantity: int, package: dict | None, amount: int) -> None:
    await ingest(db, [made(priced(1000, quantity=quantity, transform_quantity=package), DAY)])
    assert await closing(db) == amount


@pytest.mark.parametrize(
    ("mode", "quantity", "amount"),
    [("graduated", 5, 2500), ("graduated", 10, 5000), ("graduated", 15, 10 * 500 + 5 * 400 + 100),
     ("graduated", 25, 10 * 500 + 10 * 400 + 100 + 5 * 300), ("graduated", 0, 0),
     ("volume", 5, 2500), ("volume", 15, 15 * 400 + 100), ("volume", 25, 25 * 300)],
)  # fmt: skip
async def test_expanded_tiers(db: Database, mode: str, quantity: int, amount: int) -> None:
    data = priced(0, quantity=quantity, billing_scheme="tiered", tiers_mode=mode, tiers=TIERS, unit_amount=None,
                  unit_amount_decimal=None)  # fmt: skip
    await ingest(db, [made(data, DAY)])
    assert await closing(db) == amount


async def test_tiers_of_the_last_invoice(db: Database) -> None:
    """Events have no tiers. A graduated price has a line for each tier; prorations are left out."""
    data = priced(0, quantity=15, billing_scheme="tiered", tiers_mode="graduated", unit_amount=None, unit_amount_decimal=None)
    await ingest(db, [made(data, DAY)])
    assert await closing(db) == 0
    await ingest(db, [billed(1, DAY, line(5000), line(2100), line(-900, proration=True), line(777, "si_other"))])
    assert (await closing(db), await closing(db, name="metered")) == (7100, 0)
    assert await actions.verify(db) == []


async def test_metered_use_of_the_last_invoice_as_of_any_day(db: Database) -> None:
    await ingest(db, [billed(2, "2026-03-10", line(4200)), made(metered(), DAY)])
    await ingest(db, [billed(1, "2026-02-10", line(2500)), billed(0, DAY, line(0))])
    days = ("2026-01-31", "2026-02-09", "2026-02-10", "2026-03-09", "2026-03-31")
    assert [await closing(db, day) for day in days] == [0, 0, 2500, 2500, 4200]
    assert [await closing(db, day, "metered") for day in days] == [0, 0, 2500, 2500, 4200]
    assert column(await rows(db, "mrr", "2026-03-31", 3), "expansion") == [0, 0, 1700]
    # A later void does not change what the report of an earlier day says.
    await ingest(db, [billed(2, "2026-03-10", line(4200), voided="2026-03-20", name="invoice.voided")])
    assert [await closing(db, day) for day in ("2026-03-19", "2026-03-20")] == [4200, 2500]
    assert await actions.verify(db) == []


async def test_draft_invoices_count_nothing(db: Database) -> None:
    draft = billed(1, "2026-01-20", line(9000), name="invoice.created")
    draft["data"]["object"]["status_transitions"]["finalized_at"] = None
    await ingest(db, [made(metered(), DAY), draft])
    assert await closing(db) == 0


async def test_metered_history_of_a_fetched_subscription(db: Database) -> None:
    await ingest(db, [billed(1, "2026-02-10", line(1000)), billed(2, "2026-03-10", line(1500))])
    async with db.tx() as tx:
        await mirror.ingest_objects(tx, "subscriptions", json.dumps([metered()]), moment("2026-05-01"), moment("2026-05-01"))
    days = ("2026-01-31", "2026-02-28", "2026-03-31", "2026-05-31")
    assert [await closing(db, day) for day in days] == [0, 1000, 1500, 1500]
    assert await actions.verify(db) == []


@pytest.mark.parametrize(
    ("coupons", "kept", "temporary"),
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
async def test_discounts_of_a_subscription(db: Database, coupons: list[Any], kept: int, temporary: int) -> None:
    """Those that last for ever are deducted, in their order; those that end are shown apart."""
    data = priced(1000, sub={"discounts": [f"di_{n}" for n in range(len(coupons))]})
    await ingest(db, [made(data, DAY)])
    for n, (duration, fields) in enumerate(coupons):
        end = "2026-04-10" if duration == "repeating" else None
        await ingest(db, [given(f"di_{n}", f"C{n}", end=end), coupon(f"C{n}", duration, **fields)])
    assert (await closing(db), await closing(db, name="temporary")) == (kept, temporary)
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


async def test_removed_discount_counts_until_it_was_removed(db: Database) -> None:
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


async def test_deleted_coupon_goes_on_for_those_who_have_it(db: Database) -> None:
    await ingest(
        db, [made(priced(1000, sub={"discounts": ["di_1"]}), DAY), given("di_1", "HALF"), coupon("HALF", percent_off=50)]
    )
    stub = json.dumps([{"id": "HALF", "object": "coupon", "deleted": True}])
    async with db.tx() as tx:
        await mirror.ingest_objects(tx, "coupons", stub, moment("2026-02-01"), moment("2026-02-01"))
    assert await closing(db, "2026-02-28") == 500
    assert await actions.verify(db) == []


async def test_price_with_currency_options(db: Database) -> None:
    """The base price is in euros, the subscription in dollars: with the option's amount, or the invoice's, never the base's."""
    options = {
        "usd": {"unit_amount": 1100, "unit_amount_decimal": "1100", "custom_unit_amount": None, "tax_behavior": "unspecified"}
    }
    known = priced(1000, quantity=2, currency_options=options)
    known["currency"] = "usd"
    unknown = priced(1000, quantity=2)
    unknown["currency"] = "usd"
    await ingest(db, [made(known, DAY)])
    assert (await closing(db, currency="usd"), await closing(db)) == (2200, 0)
    await ingest(db, [changed(unknown, "2026-01-11")])
    assert (await closing(db, currency="usd"), await closing(db)) == (0, 0)
    await ingest(db, [billed(1, "2026-01-12", line(2300))])
    assert (await closing(db, currency="usd"), await closing(db)) == (2300, 0)


@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
async def test_paused_collection_is_shown_apart(db: Database, behavior: str) -> None:
    data = priced(1000)
    paused = {"behavior": behavior, "resumes_at": None}
    await ingest(db, [made(data, DAY), changed(data, "2026-02-10", pause_collection=paused), changed(data, "2026-03-10")])
    figures = [(await closing(db, day), await closing(db, day, "paused")) for day in ("2026-01-31", "2026-02-28", "2026-03-31")]
    assert figures == [(1000, 0), (0, 1000), (1000, 0)]
    moved = await rows(db, "mrr", "2026-03-31", 3)
    assert (column(moved, "churn"), column(moved, "reactivation")) == ([0, -1000, 0], [0, 0, 1000])
    (row,) = await rows(db, "subscriptions", "2026-02-28")
    assert (row["status"], row["subscriptions"], row["monthly"], row["paused"]) == ("collection_paused", 1, 0, 1000)
    assert await rows(db, "renewals", "2026-02-28", 12) == []
    await ingest(db, [canceled(data, "2026-04-01")])
    assert await closing(db, "2026-04-30", "paused") == 0


async def test_subscription_paused_from_the_start_has_a_row(db: Database) -> None:
    await ingest(db, [made(priced(1000, sub={"pause_collection": {"behavior": "void", "resumes_at": None}}), DAY)])
    assert (await closing(db), await closing(db, name="paused")) == (0, 1000)


async def test_renewal_with_the_discounts_that_it_still_has(db: Database) -> None:
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
