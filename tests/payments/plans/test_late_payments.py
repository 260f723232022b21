"""Issue 9, 12: a checkout that is paid after the plan has changed never costs paid time: it waits, or pays itself back."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from tests.factories import Make, race
from tests.fakes.stripe import StripeFake
from tests.payments.helpers import one, press, scalar
from tests.payments.plans.test_story import ids, order, spend
from tests.payments.plans.test_stripe_subscriptions import subscribe
from tests.payments.stripe_helpers import delivered, right, session_of
from tests.server import Site
from tests.wallet.helpers import rows
from tests.wallet.plan_helpers import member, pass_time, quota
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId
from vetrina.core.encryption import unseal
from vetrina.core.messages.outbox import Letter
from vetrina.core.services import Services
from vetrina.payments import jobs as payment_jobs
from vetrina.payments.refunds import actions as refunds

DAY = timedelta(days=1)
SOON = timedelta(seconds=30)


async def refunded(services: Services, db: Database) -> int:
    """Carry out the refunds that payments asked for themselves; their number."""
    requests = await rows(db, "select account_id, id from payments.refunds where status = 'asked' and asked_by is null")
    for account, refund in requests:
        await refunds.carry(services, AccountId(account), refund)
    return len(requests)


async def test_9_12_a_smaller_plan_paid_late_follows_the_larger(site: Site, make: Make, db: Database, services: Services) -> None:
    """A paid larger plan was wiped by a smaller plan's checkout opened before and paid after: 100 conversions became 20."""
    account = await make.account()
    async with site.api(account) as api:
        basic, advanced = await order(api, "basic"), await order(api, "advanced")
        await press(site.client, advanced, "paid")
        before = await member(db, account)
        await press(site.client, basic, "paid")
        after = await member(db, account)
        assert (after.plan, after.period_start, after.period_end) == ("advanced", before.period_start, before.period_end)
        assert (await quota(db, account)).limit == 100
        assert after.next_plan == "basic" and after.paid_until is not None
        assert after.paid_until - after.period_end >= 28 * DAY
        await pass_time(services, account, "1 month")
        assert ((await member(db, account)).plan, (await quota(db, account)).remaining) == ("basic", 20)
    await make.books()


async def test_9_12_a_month_paid_ahead_moves_behind_an_upgrade(site: Site, make: Make, db: Database, services: Services) -> None:
    """Two paid months kept their dates under an upgrade, so that 15 of 31 paid days vanished."""
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        await press(site.client, await order(api, "basic"), "paid")
        await pass_time(services, account, "15 days")
        await press(site.client, await order(api, "advanced"), "paid")
        after = await member(db, account)
        assert after.plan == "advanced" and after.paid_until is not None
        assert after.paid_until - after.period_end >= 28 * DAY
        await pass_time(services, account, "1 month")
        basic = await member(db, account)
        assert basic.plan == "basic" and basic.period_end - basic.period_start >= 28 * DAY
        assert (await quota(db, account)).remaining == 20
    await make.books()


async def test_9_12_a_stale_third_checkout_pays_itself_back(site: Site, make: Make, db: Database, services: Services) -> None:
    """A stale third checkout gave 15 days for a month's price."""
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        opened = [await order(api, "advanced") for _ in range(3)]
        await press(site.client, opened[0], "paid")
        after = await member(db, account)
        for late in opened[1:]:
            await press(site.client, late, "paid")
        assert await member(db, account) == after
        assert await refunded(services, db) == 2
        assert [(await one(api, payment))["status"] for payment in opened] == ["completed", "refunded", "refunded"]
        assert await member(db, account) == after
    await make.books()


async def test_9_12_a_larger_plan_paid_late_starts_and_the_rest_follows(
    site: Site, make: Make, db: Database, services: Services
) -> None:
    """The other way round: the larger plan's checkout was opened first, at its full price, and is paid last."""
    account = await make.account()
    async with site.api(account) as api:
        advanced, basic = await order(api, "advanced"), await order(api, "basic")
        await press(site.client, basic, "paid")
        await spend(db, account, 7, "first")  # two of the free month's, five of the plan's
        await pass_time(services, account, "10 days")
        month = await member(db, account)
        await press(site.client, advanced, "paid")
        after = await member(db, account)
        assert after.plan == "advanced" and after.period_end - after.period_start >= 28 * DAY
        assert after.next_plan == "basic" and after.paid_until is not None
        rest = month.period_end - after.period_start
        assert after.paid_until - after.period_end == rest
        await pass_time(services, account, "1 month")
        later = await member(db, account)
        assert (later.plan, later.period_end - later.period_start) == ("basic", rest)
        bucket = await quota(db, account)
        assert (bucket.limit, bucket.used, bucket.remaining) == (20, 5, 15), "what was left of the month comes with its days"
    await make.books()


async def test_9_12_a_month_before_the_turn_is_not_a_second(site: Site, make: Make, db: Database, services: Services) -> None:
    """One race gave 0.9 seconds for a month's price: an upgrade just before a month paid ahead would have begun."""
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        await press(site.client, await order(api, "basic"), "paid")
        left = (await member(db, account)).period_end - (await scalar(db, "select now()")) - timedelta(seconds=20)
        await pass_time(services, account, f"{left.total_seconds()} seconds")
        await press(site.client, await order(api, "advanced"), "paid")
        assert (await member(db, account)).plan == "advanced"
        await pass_time(services, account, "1 month")
        later = await member(db, account)
        # Its rest of twenty seconds costs less than one rial, so that it was not taken off the price: it comes first.
        assert later.plan == "basic" and later.paid_until is not None
        assert later.paid_until - later.period_end >= 28 * DAY
    await make.books()


async def test_9_12_a_second_month_ahead_pays_itself_back(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        opened = [await order(api, "basic") for _ in range(4)]
        for payment in opened:
            await press(site.client, payment, "paid")
        before = await member(db, account)
        assert before.paid_until is not None and before.paid_until - before.period_end < 32 * DAY
        assert await refunded(services, db) == 2
        assert sorted([(await one(api, payment))["status"] for payment in opened]) == ["completed"] * 2 + ["refunded"] * 2
    await make.books()


async def test_9_12_a_surplus_that_cannot_be_refunded_waits(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        await pass_time(services, account, "15 days")
        opened = [await order(api, "advanced") for _ in range(2)]
        for payment in opened:
            await press(site.client, payment, "paid")
        before = await member(db, account)
        assert before.paid_until is None
        for _ in range(2):
            await rows(
                db,
                "select payments.record_refund(account_id, payment_id, id, null, amount, 'failed', 'no') from payments.refunds",
            )
        assert [(await one(api, payment))["status"] for payment in opened] == ["completed", "completed"]
        after = await member(db, account)
        assert after.period_end == before.period_end and after.paid_until is not None
        share = opened[1]["amount"] / 150_000
        assert abs((after.paid_until - after.period_end) / DAY - 30.5 * share) < 1
        await pass_time(services, account, "1 month")
        assert (await quota(db, account)).remaining == math.ceil(100 * share), "the same part of the allowance"
    await make.books()


async def test_9_12_a_refunded_upgrade_gives_the_credited_days_back(
    site: Site, make: Make, db: Database, services: Services
) -> None:
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        await pass_time(services, account, "10 days")
        basic = await member(db, account)
        upgrade = await order(api, "advanced")
        await press(site.client, upgrade, "paid")
        await pass_time(services, account, "5 days")
        await rows(db, "select payments.record_refund(%s, %s, null, 're_1', %s, 'succeeded', null)", account.id, upgrade["id"],
                   upgrade["amount"])  # fmt: skip
        after = await member(db, account)
        assert after.plan == "basic"
        assert abs((after.period_end - after.period_start) - (basic.period_end - basic.period_start - 10 * DAY)) < SOON
        assert (await quota(db, account)).remaining == 22
    await make.books()


async def test_9_12_the_buyer_of_a_surplus_is_written_to(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        opened = [await order(api, "basic") for _ in range(3)]
        for payment in opened:
            await press(site.client, payment, "paid")
    queued = await rows(db, "select args from procrastinate_jobs where task_name = 'payments.notify_surplus'")
    assert [row[0]["payment"] for row in queued] == [opened[2]["id"]]
    await payment_jobs.notify_surplus(services, **queued[0][0])
    (letter,) = await rows(db, "select args ->> 'letter' from procrastinate_jobs where task_name = 'core.deliver'")
    text = unseal(services.keys, letter[0], Letter).text
    assert "50,000 IRR for the Basic plan" in text and text.endswith(f"/payments/{opened[2]['id']}")
    assert await scalar(db, "select count(*)::int from core.audit_logs where action = 'refund_asked'") == 1

    async with db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set language = 'fa' where id = %s", (account.id,))
    await payment_jobs.notify_surplus(services, **queued[0][0])
    sent = await rows(db, "select args ->> 'letter' from procrastinate_jobs where task_name = 'core.deliver' order by id")
    persian = unseal(services.keys, sent[-1][0], Letter)
    assert "پرداخت" in persian.text and "50,000" not in persian.text and "refunded" not in (persian.subject or "")


async def test_9_12_a_second_smaller_subscription_ends_at_stripe(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    """Both checkouts were open; the larger one was paid first. The smaller one is credited at Stripe, and takes nothing."""
    account = await make.account()
    async with shop_site.api(account) as api:
        named = await ids(api)
        late = (await api.post("/payments", json={"plan_id": named["basic"], "gateway": "stripe"})).json()
        larger = await subscribe(shop_site, stripe, account, "advanced")
        before = await member(db, account)
        assert stripe.pay(session_of(stripe, late)["id"]) is None
        await delivered(shop_site.services, stripe)
        assert (await one(api, late))["status"] == "completed"
    assert await member(db, account) == before
    jobs = await rows(db, "select args from procrastinate_jobs where task_name = 'payments.end_subscription'")
    assert [row[0] for row in jobs] == [{"ref": session_of(stripe, late)["subscription"]}]
    await payment_jobs.end_subscription(shop_site.services, **jobs[0][0])
    await delivered(shop_site.services, stripe)
    assert (await member(db, account)).renewed_by == "stripe" and larger["status"] == "active"
    await right(make)
    await make.books()


async def test_9_12_two_late_payments_and_an_upgrade_at_once(site: Site, make: Make, db: Database, services: Services) -> None:
    """Whatever the order of 64 deliveries, every payment has its whole month or its money."""
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        late: list[dict[str, Any]] = [await order(api, "basic"), await order(api, "basic")]
        await pass_time(services, account, "12 days")
        upgrade = await order(api, "advanced")
        opened = [*late, upgrade]

        async def deliver() -> None:
            for payment in opened:
                await rows(db, "select payments.settle(%s, %s, 'ref', null)", account.id, payment["id"])

        outcomes = await race(64, deliver)
        assert [payment for payment in outcomes if payment is not None] == []
        await refunded(services, db)
        states = [(await one(api, payment))["status"] for payment in opened]
        months = await rows(db, "select key from wallet.periods where account_id = %s and key like 'payment:%%'", account.id)
        assert len(months) == 1 + states.count("completed")
        assert states.count("refunded") <= 2
    await make.books()


async def test_a_month_bought_ahead_undoes_a_cancellation(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        ahead = await order(api, "basic")
        assert (await api.post("/membership/cancellation")).json()["cancel_at_period_end"] is True
        await press(site.client, ahead, "paid")
    assert (await member(db, account)).cancel_at_period_end is False
    await pass_time(services, account, "1 month")
    assert (await member(db, account)).plan == "basic"
    await pass_time(services, account, "32 days")
    assert (await member(db, account)).state == "grace", "it may still be renewed"
    await make.books()
