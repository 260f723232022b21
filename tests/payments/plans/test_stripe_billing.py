"""What Stripe's invoices give and its billing modes: balances, prorations, pauses, cancellations in the portal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Make
from tests.fakes.stripe import StripeFake
from tests.fakes.stripe.protocol import Call
from tests.payments.helpers import scalar
from tests.payments.plans.test_stripe_subscriptions import ids, paid, subscribe
from tests.payments.stripe_helpers import checkout, delivered, right, session_of
from tests.server import Site
from tests.wallet.plan_helpers import member, pass_time, quota
from vetrina.core.database.connection import Database
from vetrina.payments import jobs
from vetrina.payments.plans.invoice_periods import paid_month

MONTHS = "select count(*)::int from wallet.periods where paid_value > 0"


def update(stripe: StripeFake, name: str, **params: Any) -> None:
    """Change a subscription in Stripe's dashboard."""
    stripe.update_subscription(Call("POST", f"/v1/subscriptions/{name}", params))


async def test_a_renewal_paid_from_the_balance_gives_its_month(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    stripe.get("customers", started["customer"])["balance"] = -800
    invoice = stripe.renew(started["id"])
    assert (invoice["status"], invoice["amount_paid"], invoice["total"]) == ("paid", 0, 499)
    await delivered(shop_site.services, stripe)
    assert await scalar(db, MONTHS) == 2
    assert await paid(db) == [(started["id"], 499)], "no money moved, so there is no payment"
    partly = stripe.renew(started["id"])
    assert partly["amount_paid"] == 198
    await delivered(shop_site.services, stripe)
    for event in [item["id"] for item in stripe.all("events") if item["type"].startswith("invoice.pa")]:
        await jobs.stripe_event(shop_site.services, event)
    assert await scalar(db, MONTHS) == 3
    assert await paid(db) == [(started["id"], 499), (partly["id"], 198)]
    assert await scalar(db, "select sum(paid_value)::int from wallet.periods") == 3 * 499
    await pass_time(shop_site.services, account, "1 month")
    assert ((await member(db, account)).plan, (await quota(db, account)).limit) == ("basic", 20)
    await right(make)


async def test_a_proration_gives_no_month(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    before = await member(db, account)
    more = {"currency": "usd", "unit_amount": "1499", "recurring": {"interval": "month"}, "product_data": {"name": "More"}}
    price = stripe.create_price(Call("POST", "/v1/prices", more))
    items = [{"id": started["items"]["data"][0]["id"], "price": price["id"]}]
    update(stripe, started["id"], items=items, proration_behavior="always_invoice")
    invoice = stripe.get("invoices", started["latest_invoice"])
    assert (invoice["billing_reason"], invoice["status"], invoice["amount_paid"]) == ("subscription_update", "paid", 1000)
    await delivered(shop_site.services, stripe)
    assert await scalar(db, MONTHS) == 1
    assert await member(db, account) == before
    await right(make)


@pytest.mark.parametrize("mode", ["flexible", "classic"])
async def test_a_cancellation_in_the_portal_is_noticed(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, mode: str
) -> None:
    stripe.billing_mode = mode
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    cancelled = stripe.cancel_in_portal(started["id"])
    assert (cancelled["cancel_at"] is not None, cancelled["cancel_at_period_end"]) == (True, mode == "classic")
    await delivered(shop_site.services, stripe)
    assert (await member(db, account)).cancel_at_period_end is True
    async with shop_site.api(account) as api:
        assert (await api.post("/membership/resumption")).json()["next_plan"] is None
    assert (started["cancel_at"], started["cancel_at_period_end"]) == (None, False)
    await delivered(shop_site.services, stripe)
    assert (await member(db, account)).cancel_at_period_end is False


async def test_a_date_after_the_period_does_not_end_it_yet(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    second_end = started["items"]["data"][0]["current_period_end"] + 30 * 86400
    update(stripe, started["id"], cancel_at=str(second_end))
    await delivered(shop_site.services, stripe)
    assert (await member(db, account)).cancel_at_period_end is False
    stripe.renew(started["id"])
    await delivered(shop_site.services, stripe)
    assert (await member(db, account)).cancel_at_period_end is True


async def test_a_smaller_plan_withdraws_the_cancellation(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "advanced")
    stripe.cancel_in_portal(started["id"])
    await delivered(shop_site.services, stripe)
    async with shop_site.api(account) as api:
        answer = await api.post("/membership/downgrade", json={"plan_id": (await ids(api))["basic"]})
        assert answer.json()["next_plan"] == "basic"
    await delivered(shop_site.services, stripe)
    assert started["cancel_at"] is None
    assert (await member(db, account)).next_plan == "basic"


async def test_a_paused_subscription_does_not_renew(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    update(stripe, started["id"], pause_collection={"behavior": "void"})
    await delivered(shop_site.services, stripe)
    assert (await member(db, account)).cancel_at_period_end is True
    assert stripe.renew(started["id"])["status"] == "void"
    await delivered(shop_site.services, stripe)
    await pass_time(shop_site.services, account, "1 month")
    assert (await member(db, account)).plan == "free"
    update(stripe, started["id"], pause_collection="")
    invoice = stripe.renew(started["id"])
    assert invoice["status"] == "paid"
    await delivered(shop_site.services, stripe)
    assert await scalar(db, MONTHS) == 2
    await right(make)


async def test_a_customer_deleted_at_stripe_is_replaced(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        first = session_of(stripe, await checkout(api))["customer"]
        stripe.delete_customer(first)
        payment = await checkout(api)
        second = session_of(stripe, payment)["customer"]
        assert second != first
        assert stripe.pay(session_of(stripe, payment)["id"]) is None
        assert session_of(stripe, await checkout(api))["customer"] == second
    await delivered(shop_site.services, stripe)
    assert await make.balance(account) == (200, 0)
    assert await scalar(db, "select ref || ' after ' || array_to_string(former_refs, ',') from payments.customers") == (
        f"{second} after {first}"
    )
    stripe.delete_customer(second)
    async with shop_site.browser(account) as browser:
        portal = await browser.post("/payments/billing")
        assert portal.status_code == 303 and portal.headers["location"].startswith(f"{stripe.url}/p/session/")


def line(amount: int, start: int, end: int, **more: Any) -> dict[str, Any]:
    """An invoice's line in the older shape."""
    return {"amount": amount, "period": {"start": start, "end": end}, **more}


@pytest.mark.parametrize(
    ("lines", "month"),
    [
        ([], None),
        ([line(-300, 5, 9, proration=True), line(900, 5, 9, proration=True)], None),
        ([line(700, 0, 9, type="invoiceitem")], None),
        ([line(0, 4, 4)], None),
        ([line(-100, 5, 9)], None),
        ([line(499, 9, 20), line(-300, 5, 9, proration=True)], (9, 20, 499)),
        ([line(499, 9, 20), line(100, 9, 20), line(499, 1, 9)], (9, 20, 599)),
        ([line(499, 9, 20, discount_amounts=[{"amount": 249}])], (9, 20, 250)),
        ([line(0, 9, 20)], (9, 20, 0)),
        ([line(499, 9, 20, parent={"type": "invoice_item_details", "invoice_item_details": {"proration": False}})], None),
    ],
)
def test_the_month_follows_from_the_lines(lines: list[dict[str, Any]], month: tuple[int, int, int] | None) -> None:
    result = paid_month({"lines": {"data": lines}})
    assert (result and (int(result.starts_at.timestamp()), int(result.ends_at.timestamp()), result.value)) == month
