"""Recurring revenue of packages, tiers, metered use, currency options and pauses: worked cases with exact figures."""

from __future__ import annotations

import json

import pytest

from tests.reports.helpers import canceled, changed, column, made, moment, rows
from tests.reports.prices import DAY, TIERS, billed, closing, line, metered, priced
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports import actions
from vetrina.stripe_mirror.ingest import actions as mirror


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


async def test_price_with_currency_options(db: Database) -> None:
    """The base price is in euros, the subscription in dollars: with the option's amount, or the invoice's, never the base's."""
    options = {
        "usd": {"unit_amount": 1100, "unit_amount_decimal": "1100", "custom_unit_amount": None, "tax_behavior": "unspecified"}
    }
    existing = priced(1000, quantity=2, currency_options=options)
    existing["currency"] = "usd"
    unknown = priced(1000, quantity=2)
    unknown["currency"] = "usd"
    await ingest(db, [made(existing, DAY)])
    assert (await closing(db, currency="usd"), await closing(db)) == (2200, 0)
    await ingest(db, [changed(unknown, "2026-01-11")])
    assert (await closing(db, currency="usd"), await closing(db)) == (0, 0)
    await ingest(db, [billed(1, "2026-01-12", line(2300))])
    assert (await closing(db, currency="usd"), await closing(db)) == (2300, 0)


@pytest.mark.parametrize("behavior", ["void", "keep_as_draft", "mark_uncollectible"])
async def test_paused_collection_is_reported_separately(db: Database, behavior: str) -> None:
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
