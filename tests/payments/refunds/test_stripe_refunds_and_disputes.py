"""After the sale: refunds, disputes and failures, told in any order, with the ledger in print."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.factories import Make
from tests.fakes.stripe import StripeFake
from tests.payments.helpers import one
from tests.payments.stripe_helpers import (
    bought,
    checkout,
    delivered,
    drain,
    ledger,
    reversals,
    right,
    session_of,
    spend,
    status,
)
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset, WalletFrozen


async def test_a_partial_refund(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)  # 200 tokens for $14.99
    await spend(db, account, 30)
    stripe.refund(intent, 500)
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "completed"
    # 200 * 500 / 1499 is 66.7: what goes back is rounded down, for the buyer.
    assert await ledger(db, account) == [("grant", 200, 200), ("hold", -30, 170), ("revocation", -66, 104)]
    stripe.refund(intent)
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "refunded"
    assert await ledger(db, account) == [
        ("grant", 200, 200), ("hold", -30, 170), ("revocation", -66, 104), ("revocation", -104, 0),
    ]  # fmt: skip
    assert await reversals(db, payment) == [("refund", 500, 66, 0), ("refund", 999, 104, 30)]
    await right(make)


async def test_a_dispute_on_a_spent_pack(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    await bought(shop_site, stripe, account, "tokens_50")
    await spend(db, account, 240)
    dispute = stripe.dispute(intent)
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "disputed"
    assert await ledger(db, account) == [
        ("grant", 200, 200), ("grant", 50, 250), ("hold", -200, 50), ("hold", -40, 10), ("revocation", -10, 0),
    ]  # fmt: skip
    assert await reversals(db, payment) == [("dispute", 1499, 10, 190)]

    # Nothing can be spent meanwhile, whatever is bought.
    await bought(shop_site, stripe, account, "tokens_50")
    with pytest.raises(WalletFrozen):
        await spend(db, account, 1)
    async with shop_site.api(account) as api:
        refused = await api.post("/generations", json={"style_name": "watercolour", "product_files": []})
        assert refused.status_code in {422, 423}
    await right(make)

    stripe.decide(dispute["id"], "lost")
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "refunded"
    await spend(db, account, 50)
    assert await reversals(db, payment) == [("dispute", 1499, 10, 190)]
    await right(make)


async def test_won_dispute_restores_credits(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    await spend(db, account, 150)
    dispute = stripe.dispute(intent)
    await delivered(shop_site.services, stripe)
    assert await make.balance(account) == (0, 0)
    stripe.decide(dispute["id"], "won")
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "completed"
    assert await ledger(db, account) == [
        ("grant", 200, 200), ("hold", -150, 50), ("revocation", -50, 0), ("grant", 50, 50),
    ]  # fmt: skip
    assert await reversals(db, payment) == [("dispute", 1499, 50, 150), ("dispute", -1499, -50, -150)]
    await spend(db, account, 50)
    await right(make)


async def test_an_inquiry_moves_nothing(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    stripe.post.hold()
    dispute = stripe.dispute(intent)
    stripe.post.held = []
    with stripe.lock:
        dispute["status"] = "warning_needs_response"
        stripe.tell("charge.dispute.created", dispute)
    stripe.post.let_go()
    stripe.decide(dispute["id"], "warning_closed")
    await delivered(shop_site.services, stripe)
    assert await status(shop_site, account, payment) == "completed"
    await spend(db, account, 200)
    await right(make)


async def test_9_11_released_credits_pay_the_shortfall(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    async with db.tx() as tx:
        hold = await wallet.hold(tx, account.id, Asset.TOKEN, 80, key="running")
    stripe.refund(intent)
    await delivered(shop_site.services, stripe)
    assert await make.balance(account) == (0, 80)
    async with db.tx() as tx:
        assert await wallet.release(tx, account.id, hold, reason="failed")
    assert await make.balance(account) == (0, 0)
    assert await reversals(db, payment) == [("refund", 1499, 120, 80)]
    await right(make)


async def test_a_refund_that_the_bank_sends_back(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    payment, intent = await bought(shop_site, stripe, account)
    refund = stripe.refund(intent)
    await delivered(shop_site.services, stripe)
    assert (await status(shop_site, account, payment), await make.balance(account)) == ("refunded", (0, 0))
    stripe.refund_fails(refund["id"])
    await delivered(shop_site.services, stripe)
    assert (await status(shop_site, account, payment), await make.balance(account)) == ("completed", (200, 0))
    await right(make)


def _story(stripe: StripeFake, intent: str) -> None:
    """What the world does to one payment: two refunds of which one fails, and a dispute that is won."""
    stripe.refund(intent, 300)
    failed = stripe.refund(intent, 200)
    stripe.refund_fails(failed["id"])
    dispute = stripe.dispute(intent, 1199)
    stripe.decide(dispute["id"], "won")


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_ends_the_same(shop_site: Site, stripe: StripeFake, make: Make, db: Database, seed: int) -> None:
    account = await make.account(tokens=0)
    stripe.post.hold()
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        stripe.pay(session["id"])
        _story(stripe, session["payment_intent"])
        random.Random(seed).shuffle(stripe.post.held or [])
        stripe.post.faults.copies = 2
        stripe.post.let_go()
        await asyncio.to_thread(stripe.post.settle)
        outcomes = await drain(shop_site.services, order=random.Random(seed))
        assert set(outcomes) <= {"applied", "ignored"}
        paid = await one(api, payment)
    assert (paid["status"], paid["refunded"], paid["card_mask"]) == ("completed", 300, "visa **** 4242")
    # 200 * 300 / 1499 = 40.02
    assert await make.balance(account) == (160, 0)
    await right(make)


async def test_a_refund_that_comes_before_its_payment(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    """The worst case: the first that we hear is a refund of something that Stripe alone can name."""
    account = await make.account(tokens=0)
    stripe.post.hold()
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        stripe.pay(session["id"])
        stripe.refund(session["payment_intent"])
        events = stripe.post.held or []
        stripe.post.held = [event for event in events if event["type"] == "refund.created"]
        later = [event for event in events if event["type"] != "refund.created"]
        stripe.post.let_go()
        await delivered(shop_site.services, stripe)
        assert (await one(api, payment))["status"] == "refunded"
        assert await ledger(db, account) == [("grant", 200, 200), ("revocation", -200, 0)]
        for item in later:
            stripe.post.send(item)
        await delivered(shop_site.services, stripe)
        paid = await one(api, payment)
    assert (paid["status"], paid["reference"], paid["card_mask"]) == ("refunded", session["payment_intent"], "visa **** 4242")
    assert len(await ledger(db, account)) == 2
    await right(make)


async def test_stripe_unavailable_during_a_lookup(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    stripe.post.hold()
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        stripe.pay(session["id"])
        stripe.refund(session["payment_intent"])
        stripe.post.held = [item for item in stripe.post.held or [] if item["type"] == "refund.created"]
        stripe.key = "another"  # every call of ours is refused
        stripe.post.let_go()
        await asyncio.to_thread(stripe.post.settle)
        assert await drain(shop_site.services) == ["ignored"], "not ours, as far as Stripe says"
        assert (await one(api, payment))["status"] == "pending"
