"""Erasing an account ends its subscription and its open checkouts at the gateway (issue 9, 10a)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Make
from tests.fakes.stripe import Fault, StripeFake
from tests.fakes.stripe.protocol import Call
from tests.payments.helpers import scalar
from tests.payments.plans.test_stripe_subscriptions import ids, subscribe
from tests.payments.stripe_helpers import checkout, delivered, session_of
from tests.server import Site
from tests.wallet.plan_helpers import member
from vetrina.accounts.operator import actions as operator_accounts
from vetrina.accounts.privacy import erasures
from vetrina.clients.stripe.client import StripeAway
from vetrina.core.database.connection import Database
from vetrina.payments import jobs


async def _queued(db: Database, task: str) -> dict[str, Any]:
    return await scalar(db, f"select args from procrastinate_jobs where task_name = '{task}' order by id desc limit 1")


async def test_an_erased_account_pays_no_more(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account()
    subscription = await subscribe(shop_site, stripe, account, "basic")
    async with shop_site.api(account) as api:
        left = await checkout(api)
    await erasures.erase(shop_site.services, account.id)
    await jobs.end_subscription(shop_site.services, **await _queued(db, "payments.end_subscription"))
    await jobs.end_subscription(shop_site.services, **await _queued(db, "payments.end_subscription"))
    await jobs.close_checkout(shop_site.services, **await _queued(db, "payments.close_checkout"))
    assert subscription["status"] == "canceled"
    assert session_of(stripe, left)["status"] == "expired"
    status = await scalar(db, f"select status from payments.payments where id = '{left['id']}'")
    assert status == "cancelled"
    await delivered(shop_site.services, stripe)
    await make.books()


async def test_the_references_outlive_a_stripe_that_does_not_answer(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    subscription = await subscribe(shop_site, stripe, account, "basic")
    await erasures.erase(shop_site.services, account.id)
    arguments = await _queued(db, "payments.end_subscription")
    stripe.next("subscriptions", *(Fault(status=500, done=False) for _ in range(10)))
    with pytest.raises(StripeAway):  # so that the job is retried
        await jobs.end_subscription(shop_site.services, **arguments)
    assert subscription["status"] == "active"
    stripe.next_calls_succeed()
    await jobs.end_subscription(shop_site.services, **arguments)
    assert subscription["status"] == "canceled"


async def test_money_that_comes_after_erasure_is_recorded_for_a_refund(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    subscription = await subscribe(shop_site, stripe, account, "basic")
    await erasures.erase(shop_site.services, account.id)
    stripe.renew(subscription["id"])
    await delivered(shop_site.services, stripe)
    recorded = await scalar(db, "select code || ' ' || amount from payments.failed_transactions")
    assert recorded == "account_erased 499"
    outcomes = await scalar(db, "select count(*) from payments.webhook_events where outcome = 'failed' or outcome = 'dead'")
    assert outcomes == 0
    await make.books()


async def test_9_10a_a_disabled_account_is_not_charged_for_another_month(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    subscription = await subscribe(shop_site, stripe, account, "basic")
    async with db.tx() as tx:
        await operator_accounts.disable(tx, None, account.id, why="spam")
    for _ in range(2):
        await jobs.stop_renewal(shop_site.services, **await _queued(db, "payments.stop_renewal"))
    assert subscription["status"] == "active" and subscription["cancel_at"] is not None
    stripe.renew(subscription["id"])
    await delivered(shop_site.services, stripe)
    assert subscription["status"] == "canceled"
    current = await member(db, account)
    assert (current.plan, current.cancel_at_period_end, current.renewed_by) == ("basic", True, None), "what was paid stays"
    await make.books()


async def test_9_10a_a_checkout_paid_after_the_account_was_disabled_does_not_renew(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    """The end was queued once, when the account was disabled and had no subscription yet; the one paid later renewed for ever."""
    account = await make.account()
    async with shop_site.api(account) as api:
        answer = await api.post("/payments", json={"plan_id": (await ids(api))["basic"], "gateway": "stripe"})
        session = session_of(stripe, answer.json())
    async with db.tx() as tx:
        await operator_accounts.disable(tx, None, account.id, why="spam")
    await jobs.stop_renewal(shop_site.services, **await _queued(db, "payments.stop_renewal"))
    assert stripe.pay(session["id"]) is None
    await delivered(shop_site.services, stripe)
    subscription = stripe.get("subscriptions", session["subscription"])
    assert await scalar(db, "select count(*)::int from procrastinate_jobs where task_name = 'payments.stop_renewal'") == 2
    await jobs.stop_renewal(shop_site.services, **await _queued(db, "payments.stop_renewal"))
    assert subscription["cancel_at"] == subscription["items"]["data"][0]["current_period_end"]
    stripe.renew(subscription["id"])
    await delivered(shop_site.services, stripe)
    assert subscription["status"] == "canceled"
    current = await member(db, account)
    assert (current.plan, current.cancel_at_period_end, current.renewed_by) == ("basic", True, None), "what was paid stays"
    await make.books()


async def test_9_10a_a_renewal_resumed_while_the_account_is_disabled_is_stopped_again(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account()
    subscription = await subscribe(shop_site, stripe, account, "basic")
    async with db.tx() as tx:
        await operator_accounts.disable(tx, None, account.id, why="spam")
    await jobs.stop_renewal(shop_site.services, **await _queued(db, "payments.stop_renewal"))
    stripe.update_subscription(Call("POST", f"/v1/subscriptions/{subscription['id']}", {"cancel_at": ""}))  # at Stripe
    await delivered(shop_site.services, stripe)
    assert subscription["cancel_at"] is None
    await jobs.stop_renewal(shop_site.services, **await _queued(db, "payments.stop_renewal"))
    assert subscription["cancel_at"] is not None
    assert await scalar(db, "select count(*)::int from procrastinate_jobs where task_name = 'payments.stop_renewal'") == 2
    await make.books()
