"""Reports on a small business whose figures were calculated by hand."""

from __future__ import annotations

import json
import random
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from tests.reports.helpers import at, canceled, changed, column, event, made, moment, rows, subscription
from tests.stripe_mirror.helpers import ingest
from vetrina.core.database.connection import Database
from vetrina.reports import actions
from vetrina.reports.catalogue import REPORTS
from vetrina.reports.model import InvalidDate, NoSuchReport
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import actions as mirror

# Ada pays 10 a month from January, 15 from February, 3 more by a second subscription from March; the first ends in
# April.
ADA = subscription(1, "2026-01-10", 1000)
ADA_MORE = subscription(101, "2026-03-15", 300, customer=1)
# Ben pays 20 from January, 12 from March.
BEN = subscription(2, "2026-01-20", 2000)
# Cleo pays 120 a year from February to March, returns in April for 9 a month.
CLEO = subscription(3, "2026-02-02", 12000, interval="year", product=3)
CLEO_AGAIN = subscription(103, "2026-04-12", 900, customer=3)
# Dan has a trial in February and pays 50 dollars from 6 March.
DAN = subscription(4, "2026-02-20", 5000, currency="usd", product=1, status="trialing", trial_end=at("2026-03-06"))
# Eve subscribes and cancels within March.
EVE = subscription(5, "2026-03-01", 900)


def items_at(amount: int) -> dict:
    """Return subscription items at this price."""
    return {"items": subscription(1, "2026-01-01", amount)["items"]}


HISTORY = [
    made(ADA, "2026-01-10"), changed(ADA, "2026-02-15", **items_at(1500)), canceled({**ADA, **items_at(1500)}, "2026-04-05"),
    made(ADA_MORE, "2026-03-15"),
    made(BEN, "2026-01-20"), changed(BEN, "2026-03-03", **items_at(1200)),
    made(CLEO, "2026-02-02"), canceled(CLEO, "2026-03-10"), made(CLEO_AGAIN, "2026-04-12"),
    made(DAN, "2026-02-20"), changed(DAN, "2026-03-06", status="active"),
    made(EVE, "2026-03-01"), canceled(EVE, "2026-03-20"),
    *(event("product.created", sample.product(n, at("2026-01-01")), "2026-01-01") for n in range(4)),
]  # fmt: skip


@pytest_asyncio.fixture
async def business(db: Database) -> Database:
    """Fill the mirror with the whole history, in random order."""
    await ingest(db, random.sample(HISTORY, len(HISTORY)))
    return db


async def test_recurring_revenue_and_its_movements(business: Database) -> None:
    result = await rows(business, "mrr", "2026-04-30", 4)
    names = ("month", "opening", "new", "expansion", "contraction", "churn", "reactivation", "closing", "customers")
    euros = [tuple(row[name] for name in names) for row in result if row["currency"] == "eur"]
    assert euros == [
        (date(2026, 1, 1), 0, 3000, 0, 0, 0, 0, 3000, 2),
        (date(2026, 2, 1), 3000, 1000, 500, 0, 0, 0, 4500, 3),
        (date(2026, 3, 1), 4500, 0, 300, -800, -1000, 0, 3000, 2),
        (date(2026, 4, 1), 3000, 0, 0, -1500, 0, 900, 2400, 3),
    ]
    dollars = [tuple(row[name] for name in names) for row in result if row["currency"] == "usd"]
    assert dollars[2:] == [
        (date(2026, 3, 1), 0, 5000, 0, 0, 0, 0, 5000, 1),
        (date(2026, 4, 1), 5000, 0, 0, 0, 0, 0, 5000, 1),
    ]


async def test_opening_plus_movements_is_closing(business: Database) -> None:
    for row in await rows(business, "mrr", "2026-04-30", 24):
        moved = row["new"] + row["expansion"] + row["contraction"] + row["churn"] + row["reactivation"]
        assert row["opening"] + moved == row["closing"]


@pytest.mark.parametrize(
    ("day", "closing"),
    [("2026-01-09", []), ("2026-01-10", [1000]), ("2026-01-31", [3000]), ("2026-03-05", [3700]), ("2026-03-09", [3700]),
     ("2026-03-10", [2700]), ("2026-04-04", [3000]), ("2026-04-05", [1500]), ("2026-04-12", [2400])],
)  # fmt: skip
async def test_as_of_any_past_day(business: Database, day: str, closing: list[int]) -> None:
    result = await rows(business, "mrr", day, 1)
    if day == "2026-03-05":
        assert column(result, "contraction", currency="eur") == [-800]
    # Eve's 9 count on the days of March between her subscription and her cancellation.
    eve = 900 if "2026-03-01" <= day < "2026-03-20" else 0
    assert column(result, "closing", currency="eur") == [item + eve for item in closing]


async def test_churn_shares(business: Database) -> None:
    result = [row for row in await rows(business, "churn", "2026-04-30", 4) if row["currency"] == "eur"]
    march = result[2]
    assert (march["customers_opening"], march["customers_lost"]) == (3, 1)
    assert march["customer_churn"] == pytest.approx(1 / 3)
    assert (march["opening"], march["lost"]) == (4500, 1800)
    assert march["revenue_churn"] == pytest.approx(0.4)
    assert march["net_retention"] == pytest.approx(3000 / 4500)
    assert result[0]["customer_churn"] is None


async def test_retention_by_cohort(business: Database) -> None:
    result = await rows(business, "retention", "2026-04-30", 4)
    january = [row for row in result if row["cohort"] == date(2026, 1, 1)]
    assert [(row["age"], row["size"], row["customers"], row["monthly"]) for row in january] == [
        (0, 2, 2, 3000), (1, 2, 2, 3500), (2, 2, 2, 3000), (3, 2, 2, 1500)]  # fmt: skip
    february = [row for row in result if row["cohort"] == date(2026, 2, 1)]
    assert [(row["customers"], row["monthly"], row["customer_retention"]) for row in february] == [
        (1, 1000, 1.0), (0, 0, 0.0), (1, 900, 1.0)]  # fmt: skip
    assert column(result, "revenue_retention", cohort=date(2026, 1, 1))[-1] == 0.5
    assert {row["cohort"] for row in result if row["currency"] == "usd"} == {date(2026, 3, 1)}


async def test_subscriptions_by_product_and_status(business: Database) -> None:
    def report_values(result: list[dict]) -> set[tuple]:
        return {(row["product"], row["status"], row["currency"], row["subscriptions"], row["monthly"]) for row in result}

    assert report_values(await rows(business, "subscriptions", "2026-03-05")) == {
        ("Basic", "active", "eur", 3, 1500 + 1200 + 900), ("Studio", "active", "eur", 1, 1000), ("Plus", "trialing", "usd", 1, 0),
    }  # fmt: skip
    assert report_values(await rows(business, "subscriptions", "2026-04-30")) == {
        ("Basic", "active", "eur", 3, 300 + 1200 + 900), ("Plus", "active", "usd", 1, 5000),
    }  # fmt: skip


def invoice(number: int, day: str, amount: int, *, status: str = "paid", currency: str = "eur", **fields: object) -> dict:
    """Return an invoice of `day`."""
    return {**sample.invoice(number, at(day), status=status, amount=amount), "currency": currency, **fields}


def charge(number: int, day: str, amount: int, **fields: object) -> dict:
    """Return a charge of `day`."""
    return {"id": f"ch_{number}", "object": "charge", "created": at(day), "amount": amount, "amount_captured": amount,
            "captured": True, "currency": "eur", "status": "succeeded", "metadata": {}, **fields}  # fmt: skip


async def test_revenue_by_month_and_currency(db: Database) -> None:
    await ingest(db, [
        event("invoice.paid", invoice(1, "2026-01-31", 1000), "2026-01-31"),
        event("invoice.paid", invoice(2, "2026-02-01", 2000), "2026-02-01"),
        event("invoice.paid", invoice(3, "2026-02-10", 700, currency="usd"), "2026-02-10"),
        event("invoice.created", invoice(4, "2026-02-11", 5000, status="open"), "2026-02-11"),
        event("charge.succeeded", charge(1, "2026-02-01", 2000), "2026-02-01"),
        event("charge.failed", charge(2, "2026-02-02", 2000, status="failed"), "2026-02-02"),
        event("charge.succeeded", charge(3, "2026-02-02", 900, captured=False, amount_captured=0), "2026-02-02"),
        event("charge.succeeded", charge(4, "2026-02-03", 900, amount_captured=400), "2026-02-03"),
        event("refund.created", {"id": "re_1", "object": "refund", "created": at("2026-03-02"), "amount": 300, "currency": "eur",
                                "status": "succeeded", "charge": "ch_1"}, "2026-03-02"),
        event("refund.created", {"id": "re_2", "object": "refund", "created": at("2026-03-02"), "amount": 50, "currency": "eur",
                                "status": "failed", "charge": "ch_1"}, "2026-03-02"),
        event("charge.dispute.closed", {"id": "dp_1", "object": "dispute", "created": at("2026-03-04"), "amount": 400,
                                       "currency": "eur", "status": "lost", "charge": "ch_4"}, "2026-03-20"),
    ])  # fmt: skip
    result = await rows(db, "revenue", "2026-03-31", 3)
    report_values = [(f"{row['month']:%m}", row["currency"], row["invoices"], row["invoiced"], row["charges"], row["charged"],
                row["refunded"], row["disputed"], row["net"]) for row in result]  # fmt: skip
    assert report_values == [
        ("01", "eur", 1, 1000, 0, 0, 0, 0, 0),
        ("02", "eur", 1, 2000, 2, 2400, 0, 0, 2400),
        ("03", "eur", 0, 0, 0, 0, 300, 400, -700),
        ("02", "usd", 1, 700, 0, 0, 0, 0, 0),
    ]
    assert column(await rows(db, "revenue", "2026-02-01", 2), "invoiced", currency="eur") == [1000, 2000]
    assert column(await rows(db, "revenue", "2026-01-31", 2), "invoiced", currency="eur") == [1000]


async def test_failed_payments_by_outcome(db: Database) -> None:
    def due(number: int, amount: int) -> dict:
        return invoice(number, "2026-02-01", amount, status="open", attempt_count=1)

    def paid(number: int, amount: int, day: str) -> dict:
        done = invoice(number, "2026-02-01", amount, attempt_count=2)
        return {**done, "status_transitions": {**done["status_transitions"], "paid_at": at(day)}}

    await ingest(db, [
        event("invoice.payment_failed", due(1, 1000), "2026-02-01"), event("invoice.payment_failed", due(1, 1000), "2026-02-04"),
        event("invoice.paid", paid(1, 1000, "2026-02-07"), "2026-02-07"),
        event("invoice.payment_failed", due(2, 3000), "2026-02-02"),
        event("invoice.paid", paid(2, 3000, "2026-03-04"), "2026-03-04"),
        event("invoice.payment_failed", due(3, 500), "2026-02-03"),
        event("invoice.marked_uncollectible", {**due(3, 500), "status": "uncollectible"}, "2026-03-20"),
        event("invoice.payment_failed", due(4, 400), "2026-02-05"),
        event("invoice.paid", invoice(5, "2026-02-06", 9000), "2026-02-06"),
    ])  # fmt: skip
    async with db.tx() as tx:  # fetched without events: paid at the second attempt
        listed = json.dumps([paid(6, 600, "2026-02-03")])
        await mirror.ingest_objects(tx, "invoices", listed, moment("2026-03-01"), moment("2026-03-01"))

    async def february(as_of: str) -> tuple:
        (row,) = await rows(db, "failures", as_of, 3)
        names = ("invoices", "amount", "recovered", "recovered_amount", "lost", "open", "open_amount", "recovery", "median_days")
        return tuple(row[name] for name in names)

    assert await february("2026-03-31") == (5, 5500, 3, 4600, 1, 1, 400, 0.6, 6.0)
    assert await february("2026-03-10") == (5, 5500, 3, 4600, 0, 2, 900, 0.6, 6.0)
    assert await february("2026-02-28") == (5, 5500, 2, 1600, 0, 3, 3900, 0.4, 4.0)


async def test_upcoming_renewals(db: Database) -> None:
    def until(number: int, end: str, amount: int, **fields: Any) -> dict[str, Any]:
        result = subscription(number, "2026-02-05", amount, **fields)
        result["items"]["data"][0] |= {"current_period_end": at(end)}
        return result

    moved = until(3, "2026-03-04", 700)
    await ingest(db, [
        made(until(1, "2026-03-03", 1000), "2026-02-05"),
        made(until(2, "2026-03-05", 2000, cancel_at_period_end=True), "2026-02-05"),
        made(moved, "2026-02-05"), changed(moved, "2026-03-04", **{"items": until(3, "2026-04-04", 800)["items"]}),
        made(until(4, "2026-03-10", 12000, interval="year"), "2026-02-05"),
        made(until(5, "2026-03-10", 5000, currency="usd", status="trialing"), "2026-02-05"),
        made(until(6, "2026-03-10", 5000, status="unpaid"), "2026-02-05"),
    ])  # fmt: skip

    async def report_values(as_of: str, months: int) -> list[tuple]:
        names = ("week", "currency", "renewing", "amount", "ending", "ending_amount")
        return [tuple(row[name] for name in names) for row in await rows(db, "renewals", as_of, months)]

    assert await report_values("2026-02-28", 1) == [
        (date(2026, 3, 2), "eur", 2, 1700, 1, 2000), (date(2026, 3, 9), "eur", 1, 12000, 0, 0),
        (date(2026, 3, 9), "usd", 1, 5000, 0, 0),
    ]  # fmt: skip
    assert await report_values("2026-03-06", 1) == [
        (date(2026, 3, 9), "eur", 1, 12000, 0, 0), (date(2026, 3, 30), "eur", 1, 800, 0, 0),
        (date(2026, 3, 9), "usd", 1, 5000, 0, 0),
    ]  # fmt: skip


async def test_invalid_dates_and_unknown_reports_are_refused(db: Database) -> None:
    for text in ("yesterday", "2026-02-30", "1850-01-01", "9999-01-01"):
        with pytest.raises(InvalidDate):
            actions.parse_date(text)
    with pytest.raises(NoSuchReport):
        await actions.figures(db, "profit")


async def test_empty_mirror_has_empty_reports(db: Database) -> None:
    assert {name: (await actions.figures(db, name)).rows for name in REPORTS} == {name: [] for name in REPORTS}
