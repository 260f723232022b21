"""Plans that Stripe renews by itself, over HTTP on both sides: invoices in any order, cards that fail, changes here and there."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from tests.factories import Account, Make
from tests.fakes.stripe import StripeFake
from tests.fakes.stripe.protocol import Call
from tests.payments.helpers import scalar
from tests.payments.stripe_helpers import delivered, drain, right, session_of
from tests.server import Site
from tests.wallet.plan_helpers import ledger, member, pass_time, pay, quota
from vetrina.core.database.connection import Database
from vetrina.payments import jobs
from vetrina.payments.plans import stripe_subscriptions as subscriptions

assert subscriptions, "declares the handlers"


async def ids(api: httpx2.AsyncClient) -> dict[str, str]:
    """The plans' ids by name."""
    return {item["name"]: item["id"] for item in (await api.get("/plans")).json()["items"]}


async def subscribe(shop_site: Site, stripe: StripeFake, account: Account, plan: str) -> dict[str, Any]:
    """Go through the checkout; the subscription."""
    async with shop_site.api(account) as api:
        answer = await api.post("/payments", json={"plan_id": (await ids(api))[plan], "gateway": "stripe"})
        assert answer.status_code == 201, answer.text
        payment = answer.json()
        assert payment["currency"] == "USD"
        assert stripe.pay(session_of(stripe, payment)["id"]) is None
        await delivered(shop_site.services, stripe)
        assert (await api.get(f"/payments/{payment['id']}")).json()["status"] == "completed"
    return stripe.get("subscriptions", session_of(stripe, payment)["subscription"])


async def paid(db: Database) -> list[tuple[str, int]]:
    """What came in: references and sums."""
    async with db.read() as tx:
        rows = await (
            await tx.connection.execute(
                "select reference, amount::int from payments.payments where status = 'completed' and kind = 'plan' order by id"
            )
        ).fetchall()
    return [tuple(row) for row in rows]


async def test_a_plan_renews_by_itself(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    result = await member(db, account)
    assert (result.plan, result.renewed_by) == ("basic", "stripe")
    assert (await quota(db, account)).limit == 20
    async with shop_site.api(account) as api:
        again = await api.post("/payments", json={"plan_id": (await ids(api))["basic"], "gateway": "stripe"})
        assert (again.status_code, again.json()["detail"]) == (409, "Your plan renews by itself.")
    invoice = stripe.renew(started["id"])
    await delivered(shop_site.services, stripe)
    ahead = await member(db, account)
    assert ahead.paid_until == datetime.fromtimestamp(started["items"]["data"][0]["current_period_end"], UTC)
    await pass_time(shop_site.services, account, "1 month")
    later = await member(db, account)
    assert (later.plan, later.state, later.renewed_by) == ("basic", "active", "stripe")
    assert await paid(db) == [(started["id"], 499), (invoice["id"], 499)]
    assert [item[:2] for item in await ledger(db, account)] == [
        ("grant", 2), ("grant", 20), ("expiry", -2), ("expiry", -20), ("grant", 20),
    ]  # fmt: skip
    await right(make)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_triplicate_events_in_any_order_pay_each_month_once(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, seed: int
) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    for _ in range(3):
        stripe.renew(started["id"])
    await delivered(shop_site.services, stripe)
    async with db.tx() as tx:
        events = [row[0] for row in await (await tx.connection.execute("select id from stripe_mirror.events")).fetchall()]
    for _ in range(2):
        random.Random(seed).shuffle(events)
        for event in events:
            await jobs.stripe_event(shop_site.services, event)
    assert len(await paid(db)) == 4
    assert await scalar(db, "select count(*)::int from wallet.periods where paid_value > 0") == 4
    await right(make)


async def test_a_renewal_fails_twice_and_then_succeeds(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    invoice = stripe.renew(started["id"], pays=False)
    await delivered(shop_site.services, stripe)
    await pass_time(shop_site.services, account, "1 month")
    assert (await member(db, account)).state == "grace"
    stripe.retry(invoice["id"], pays=False)
    await delivered(shop_site.services, stripe)
    assert await scalar(db, "select count(*)::int from payments.failed_transactions where code = 'invoice_payment_failed'") == 2
    assert (await quota(db, account)).remaining == 20, "what had lapsed is back"
    # Stripe's month began when ours ended; here the clock was moved.
    for line in invoice["lines"]["data"]:
        line["period"] = {key: value - 31 * 86400 for key, value in line["period"].items()}
    stripe.retry(invoice["id"])
    await delivered(shop_site.services, stripe)
    after = await member(db, account)
    assert (after.plan, after.state, after.renewed_by) == ("basic", "active", "stripe")
    entries = await ledger(db, account)
    assert [entry[:2] for entry in entries] == [
        ("grant", 2), ("grant", 20), ("expiry", -2), ("expiry", -20), ("grant", 20), ("expiry", -20), ("grant", 20),
    ]  # fmt: skip
    await right(make)


async def test_cancelled_and_resumed_here_and_there(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    async with shop_site.api(account) as api:
        assert (await api.post("/membership/cancellation")).json()["next_plan"] == "free"
        assert started["cancel_at"] == started["items"]["data"][0]["current_period_end"]
        await delivered(shop_site.services, stripe)
        assert (await api.post("/membership/resumption")).json()["next_plan"] is None
        assert started["cancel_at"] is None
        await delivered(shop_site.services, stripe)
        # In Stripe's own portal.
        stripe.update_subscription(Call("POST", f"/v1/subscriptions/{started['id']}", {"cancel_at_period_end": "true"}))
        await delivered(shop_site.services, stripe)
        assert (await member(db, account)).cancel_at_period_end is True
        stripe.renew(started["id"])  # it ends
        await delivered(shop_site.services, stripe)
        ended = await member(db, account)
        assert (ended.plan, ended.renewed_by, ended.cancel_at_period_end) == ("basic", None, True), "what was paid stays"
        await pass_time(shop_site.services, account, "1 month")
        assert (await member(db, account)).plan == "free"
    await right(make)


async def test_a_larger_plan_ends_the_smaller_one_at_stripe(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    first = await subscribe(shop_site, stripe, account, "basic")
    second = await subscribe(shop_site, stripe, account, "advanced")
    result = await member(db, account)
    assert (result.plan, result.renewed_by) == ("advanced", "stripe")
    assert (await quota(db, account)).remaining == 102
    assert [item[1] for item in await paid(db)] == [499, 1499], "Stripe itself takes off what is left"
    job = await scalar(db, "select args ->> 'ref' from procrastinate_jobs where task_name = 'payments.end_subscription'")
    assert job == first["id"]
    await jobs.end_subscription(shop_site.services, job)
    await jobs.end_subscription(shop_site.services, job)
    await delivered(shop_site.services, stripe)
    assert (first["status"], second["status"]) == ("canceled", "active")
    assert (await member(db, account)).renewed_by == "stripe"


async def test_a_smaller_plan_follows_at_stripe(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "advanced")
    async with shop_site.api(account) as api:
        plans = await ids(api)
        assert (await api.post("/membership/downgrade", json={"plan_id": plans["basic"]})).json()["next_plan"] == "basic"
        await delivered(shop_site.services, stripe)
        assert started["items"]["data"][0]["price"]["unit_amount"] == 499
        assert (await member(db, account)).next_plan == "basic"
        stripe.renew(started["id"])
        await delivered(shop_site.services, stripe)
        await pass_time(shop_site.services, account, "1 month")
        after = await member(db, account)
        assert (after.plan, after.renewed_by) == ("basic", "stripe")
        assert [item[1] for item in await paid(db)] == [1499, 499]
        assert (await quota(db, account)).remaining == 20
    await right(make)


async def test_events_that_are_not_ours_are_left_alone(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    other = stripe.create_customer(Call("POST", "/v1/customers", {"email": "x@example.com"}))
    price = stripe.create_price(
        Call("POST", "/v1/prices", {"currency": "usd", "unit_amount": "700", "recurring": {"interval": "month"},
                                     "product_data": {"name": "Elsewhere"}})
    )  # fmt: skip
    created = stripe.subscribe(other["id"], [(price["id"], 1)], {}, "4242424242424242")
    stripe.renew(created["id"])
    stripe.renew(created["id"], pays=False)
    await delivered(shop_site.services, stripe)
    assert await drain(shop_site.services) == []
    assert await paid(db) == [] and (await member(db, account)).plan == "free"
    assert await scalar(db, "select count(*)::int from payments.webhook_events where outcome in ('failed', 'dead')") == 0


async def test_a_rest_that_begins_keeps_the_cancellation(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    """The rest of a smaller plan began and said that the plan renews, while its subscription was cancelled at Stripe."""
    account = await make.account()
    async with shop_site.api(account) as api:
        late = (await api.post("/payments", json={"plan_id": (await ids(api))["advanced"], "gateway": "stripe"})).json()
        assert await pay(db, account, "basic", "month")
        await pass_time(shop_site.services, account, "10 days")
        assert stripe.pay(session_of(stripe, late)["id"]) is None
        await delivered(shop_site.services, stripe)
        started = await member(db, account)
        assert (started.plan, started.next_plan, started.cancel_at_period_end) == ("advanced", "basic", False)
        assert (await api.post("/membership/cancellation")).status_code == 200
    await delivered(shop_site.services, stripe)
    await pass_time(shop_site.services, account, "1 month")
    rest = await member(db, account)
    assert (rest.plan, rest.renewed_by, rest.cancel_at_period_end, rest.next_plan) == ("basic", "stripe", True, "free")
    stripe.renew(session_of(stripe, late)["subscription"])  # it ends
    await delivered(shop_site.services, stripe)
    await pass_time(shop_site.services, account, "1 month")
    free = await member(db, account)
    assert (free.plan, free.state, free.renewed_by, free.cancel_at_period_end) == ("free", "active", None, False)
    await right(make)


async def test_a_month_paid_ahead_that_begins_keeps_the_cancellation(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    stripe.renew(started["id"])
    await delivered(shop_site.services, stripe)
    async with shop_site.api(account) as api:
        assert (await api.post("/membership/cancellation")).status_code == 200
        await delivered(shop_site.services, stripe)
        await pass_time(shop_site.services, account, "1 month")
        ahead = await member(db, account)
        assert (ahead.plan, ahead.renewed_by, ahead.cancel_at_period_end) == ("basic", "stripe", True)
        assert (await api.post("/membership/resumption")).status_code == 200
    assert started["cancel_at"] is None and (await member(db, account)).cancel_at_period_end is False
    await right(make)
