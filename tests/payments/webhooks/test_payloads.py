"""Each golden payload, delivered to the real route and applied by the real handlers: what the payment it names becomes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.factories import Make
from tests.fakes.stripe import SECRET, StripeFake, signed
from tests.payments.helpers import one, scalar
from tests.payments.plans.test_stripe_subscriptions import subscribe
from tests.payments.stripe_helpers import checkout, drain, session_of
from tests.server import Site
from tests.wallet.plan_helpers import member
from vetrina.core.database.connection import Database

PAYLOADS = Path(__file__).parents[2] / "fakes" / "stripe" / "payloads"
PENDING, PAID = "pending", "completed"
EXPECTED: dict[str, tuple[str, str, int]] = {
    "charge.dispute.closed": (PAID, "refunded", 0),
    "charge.dispute.created": (PAID, "disputed", 0),
    "charge.dispute.funds_reinstated": (PAID, PAID, 50),
    "charge.dispute.funds_withdrawn": (PAID, "disputed", 0),
    "charge.dispute.updated": (PAID, "disputed", 0),
    "charge.failed": (PENDING, PENDING, 0),
    "charge.refund.updated": (PAID, PAID, 30),
    "charge.refunded": (PAID, PAID, 30),
    "charge.succeeded": (PENDING, PAID, 50),
    "charge.updated": (PENDING, PAID, 50),
    "checkout.session.async_payment_failed": (PENDING, "failed", 0),
    "checkout.session.async_payment_succeeded": (PENDING, PAID, 50),
    "checkout.session.completed": (PENDING, PAID, 50),
    "checkout.session.expired": (PENDING, "expired", 0),
    "customer.subscription.deleted": (PENDING, PENDING, 0),
    "customer.subscription.paused": (PENDING, PENDING, 0),
    "customer.subscription.updated": (PENDING, PENDING, 0),
    "invoice.paid": (PENDING, PENDING, 0),
    "invoice.payment_failed": (PENDING, PENDING, 0),
    "invoice.payment_succeeded": (PENDING, PENDING, 0),
    "payment_intent.payment_failed": (PENDING, PENDING, 0),
    "refund.created": (PAID, PAID, 30),
    "refund.failed": (PAID, PAID, 50),
    "refund.updated": (PAID, PAID, 30),
}
"""By type: the payment's state before, its state after, and the purchased tokens that it has left then."""


async def deliver(site: Site, type: str, names: dict[str, str], real: dict[str, str] | None = None) -> None:
    """Deliver a payload with its placeholders filled in and its ids replaced by `real` ones, and let the job apply it."""
    text = (PAYLOADS / f"{type}.json").read_text()
    for name, value in {**{"{" + name + "}": value for name, value in names.items()}, **(real or {})}.items():
        text = text.replace(name, value)
    body = json.dumps(json.loads(text)).encode()
    headers = {"Stripe-Signature": signed(body, SECRET), "Content-Type": "application/json"}
    answer = await site.client.post("/webhooks/stripe", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    await drain(site.services)


@pytest.mark.parametrize("type", sorted(path.stem for path in PAYLOADS.glob("*.json")))
async def test_payload_is_received_and_applied(shop_site: Site, stripe: StripeFake, make: Make, db: Database, type: str) -> None:
    account = await make.account()
    before, after, tokens = EXPECTED[type]
    async with shop_site.api(account) as api:
        payment = await checkout(api, "tokens_50")
        names = {"account": str(account.id), "payment": payment["id"], "session": session_of(stripe, payment)["id"]}
        if before == PAID:
            await deliver(shop_site, "checkout.session.completed", names)
        assert (await one(api, payment))["status"] == before
        await deliver(shop_site, type, names)
        assert (await one(api, payment))["status"] == after
    left = "select coalesce(sum(remaining), 0)::int from wallet.grants where source = 'purchase' and account_id = %s"
    assert await scalar(db, left, account.id) == tokens
    outcomes = "select array_agg(distinct outcome order by outcome) from payments.webhook_events"
    assert set(await scalar(db, outcomes)) <= {"applied", "ignored"}
    stored = "select count(*)::int from stripe_mirror.events where type = %s"
    assert await scalar(db, stored, type) == 1


AFTER = {
    "charge.dispute.funds_reinstated": ("charge.dispute.created", "disputed", 0, PAID, 50),
    "charge.dispute.closed": ("charge.dispute.created", "disputed", 0, "refunded", 0),
    "refund.failed": ("refund.created", PAID, 30, PAID, 50),
    "refund.updated": ("refund.created", PAID, 30, PAID, 30),
}
"""Payloads that follow another one: that one, the payment's state and rest after it, and after both."""


@pytest.mark.parametrize("type", sorted(AFTER))
async def test_payload_that_follows_another(shop_site: Site, stripe: StripeFake, make: Make, db: Database, type: str) -> None:
    account = await make.account(tokens=0)
    first, between, tokens_between, after, tokens_after = AFTER[type]
    left = "select coalesce(sum(remaining), 0)::int from wallet.grants where asset = 'token' and account_id = %s"
    async with shop_site.api(account) as api:
        payment = await checkout(api, "tokens_50")
        names = {"account": str(account.id), "payment": payment["id"], "session": session_of(stripe, payment)["id"]}
        await deliver(shop_site, "checkout.session.completed", names)
        await deliver(shop_site, first, names)
        assert ((await one(api, payment))["status"], await scalar(db, left, account.id)) == (between, tokens_between)
        await deliver(shop_site, type, names)
        assert ((await one(api, payment))["status"], await scalar(db, left, account.id)) == (after, tokens_after)


@pytest.mark.parametrize("type", ["charge.failed", "payment_intent.payment_failed"])
async def test_failed_attempt_is_recorded_and_the_payment_may_still_be_paid(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, type: str
) -> None:
    account = await make.account()
    async with shop_site.api(account) as api:
        payment = await checkout(api, "tokens_50")
        names = {"account": str(account.id), "payment": payment["id"], "session": session_of(stripe, payment)["id"]}
        await deliver(shop_site, type, names)
        recorded = "select array_agg(code || ' ' || amount || ' ' || currency) from payments.failed_transactions"
        assert await scalar(db, recorded) == ["insufficient_funds 499 USD"]
        await deliver(shop_site, "checkout.session.completed", names)
        assert (await one(api, payment))["status"] == PAID


@pytest.mark.parametrize(
    ("type", "renewed_by", "failures"),
    [
        ("customer.subscription.deleted", None, 0),
        ("customer.subscription.updated", "stripe", 0),
        ("customer.subscription.paused", "stripe", 0),
        ("invoice.payment_failed", "stripe", 1),
    ],
)
async def test_payload_of_a_subscription_that_runs(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, type: str, renewed_by: str | None, failures: int
) -> None:
    account = await make.account()
    started = await subscribe(shop_site, stripe, account, "basic")
    assert (await member(db, account)).renewed_by == "stripe"
    real = {"sub_1NkGolden0001": started["id"], "cus_Golden0001": started["customer"], "1795000100": str(int(time.time()) + 60)}
    names = {"account": str(account.id), "payment": started["metadata"]["vetrina_payment"]}
    if renewed_by is None:
        stripe.get("subscriptions", started["id"])["status"] = "canceled"  # what counts is what Stripe answers
    await deliver(shop_site, type, names, real)
    assert (await member(db, account)).renewed_by == renewed_by
    recorded = "select count(*)::int from payments.failed_transactions where code = 'invoice_payment_failed'"
    assert await scalar(db, recorded) == failures


def test_every_payload_has_an_expected_end() -> None:
    assert EXPECTED.keys() == {path.stem for path in PAYLOADS.glob("*.json")}
