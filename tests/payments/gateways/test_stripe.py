"""Stripe, from the button to the wallet, over HTTP on both sides, through the official SDK."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.factories import Make, race
from tests.fakes.stripe import GOOD, SLOW, Fault, StripeFake
from tests.payments.helpers import one, overdue, pack, scalar
from tests.payments.stripe_helpers import checkout, delivered, drain, right, session_of
from tests.server import Site
from vetrina.core.database.connection import Database
from vetrina.payments import jobs
from vetrina.payments.settlement import sweep

NOW = timedelta(seconds=-1)


@pytest.mark.parametrize(
    ("currency", "price", "charged", "written"),
    [("ISK", 700, 70_000, "700 ISK"), ("MGA", 20_000, 200, "200.00 MGA"), ("OMR", 1_250, 1_250, "1.250 OMR")],
)
async def test_stripe_counts_some_currencies_differently(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, currency: str, price: int, charged: int, written: str
) -> None:
    account = await make.account(tokens=0)
    async with db.tx() as tx:
        reprice = "update wallet.packs set currency = %s, price = %s where name = 'tokens_200'"
        await tx.connection.execute(reprice, [currency, price])
    async with shop_site.browser(account) as browser, shop_site.api(account) as api:
        form = {"pack_id": (await pack(api, "tokens_200"))["id"], "gateway": "stripe", "next": "/studio"}
        address = (await browser.post("/wallet/buy", data=form)).headers["location"]
        assert stripe.all("checkout/sessions")[-1]["amount_total"] == charged
        await shop_site.client.post(address, data={"card": GOOD})
        await delivered(shop_site.services, stripe)
        paid = (await api.get("/payments")).json()["items"][0]
        assert (paid["status"], paid["amount"], paid["currency"]) == ("completed", price, currency)
        assert written in (await browser.get(f"/payments/{paid['id']}")).text
        assert await make.balance(account) == (200, 0)
        stripe.refund(paid["reference"])
        await delivered(shop_site.services, stripe)
        refunded = (await api.get("/payments")).json()["items"][0]
        assert (refunded["status"], refunded["refunded"]) == ("refunded", price)
    await right(make)


async def test_fractional_amounts_that_stripe_cannot_charge_are_rejected(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database
) -> None:
    account = await make.account(tokens=0)
    async with db.tx() as tx:
        await tx.connection.execute("update wallet.packs set currency = 'KWD', price = 1234 where name = 'tokens_200'")
    async with shop_site.api(account) as api:
        refused = await api.post("/payments", json={"pack_id": (await pack(api, "tokens_200"))["id"], "gateway": "stripe"})
    assert refused.status_code == 503 and "Stripe cannot charge 1.234 KWD" in refused.json()["detail"]
    assert stripe.all("checkout/sessions") == []


async def test_a_pack_is_bought(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop_site.browser(account) as browser, shop_site.api(account) as api:
        page = await browser.get("/wallet/buy")
        assert f"form-action 'self' {stripe.url}" in page.headers["content-security-policy"]
        assert stripe.url not in (await browser.get("/wallet")).headers["content-security-policy"]
        form = {"pack_id": (await pack(api, "tokens_200"))["id"], "gateway": "stripe", "next": "/studio"}
        address = (await browser.post("/wallet/buy", data=form)).headers["location"]
        assert address.startswith(f"{stripe.url}/c/pay/cs_test_")
        pay_page = await shop_site.client.get(address)
        assert "14.99 USD" in pay_page.text and "Studio, 200 tokens" in pay_page.text

        session = stripe.all("checkout/sessions")[-1]
        payment = (await api.get("/payments")).json()["items"][0]
        customer = stripe.get("customers", session["customer"])
        assert (customer["email"], customer["metadata"]) == (account.email, {"vetrina_account": str(account.id)})
        assert (session["amount_total"], session["currency"], session["mode"]) == (1499, "usd", "payment")
        assert session["client_reference_id"] == payment["id"]

        stripe.post.hold()  # the webhooks are late: the buyer is back first
        answer = await shop_site.client.post(address, data={"card": "4242 4242 4242 4242"})
        back = urlsplit(answer.headers["location"])
        assert (answer.status_code, back.path) == (303, "/payments/stripe/return")
        home = await shop_site.client.get(f"{back.path}?{back.query}")
        assert (home.status_code, home.headers["location"]) == (303, f"/payments/{payment['id']}")
        paid = await one(api, payment)
        assert (paid["status"], paid["reference"], paid["card_mask"]) == (
            "completed", session["payment_intent"], "visa **** 4242",
        )  # fmt: skip
        assert await make.balance(account) == (200, 0)
        stripe.post.let_go()
        await delivered(shop_site.services, stripe)
        assert await one(api, payment) == paid
    assert await make.balance(account) == (200, 0)
    await right(make)
    assert await scalar(db, "select count(*)::int from payments.webhook_events where outcome = 'failed'") == 0


async def test_webhooks_alone_are_enough(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        stripe.pay(session_of(stripe, payment)["id"])
        await delivered(shop_site.services, stripe)
        paid = await one(api, payment)
        assert (paid["status"], paid["card_mask"]) == ("completed", "visa **** 4242")
        assert {item["metadata"]["vetrina_payment"] for item in stripe.all("charges")} == {payment["id"]}
    assert await make.balance(account) == (200, 0)


async def test_every_call_is_pinned_and_keyed(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        await checkout(api)
        await checkout(api)
    assert {call.headers["stripe-version"] for call in stripe.calls} == {"2026-10-28.endive"}
    keys = [call.key for call in stripe.calls if call.method == "POST"]
    assert all(keys) and len(set(keys)) == len(keys)
    assert stripe.counted() == {"POST /v1/customers": 1, "POST /v1/checkout/sessions": 2}, "a customer is made once"


async def test_checkout_links_its_customer(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        await checkout(api)
    linked = "select customer_id || ' ' || origin || ' ' || is_primary from stripe_mirror.links where account_id = %s"
    assert await scalar(db, linked, account.id) == f"{stripe.all('customers')[0]['id']} checkout true"


async def test_checkout_uses_the_linked_customer(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account, other = await make.account(tokens=0), await make.account(tokens=0)
    async with shop_site.api(other) as api:
        await checkout(api)
    customer = stripe.all("customers")[0]["id"]
    async with db.tx() as tx:
        await tx.connection.execute("delete from payments.customers")
        await tx.connection.execute("update stripe_mirror.links set account_id = %s, origin = 'operator'", (account.id,))
    async with shop_site.api(account) as api:
        await checkout(api)
    assert [item["id"] for item in stripe.all("customers")] == [customer], "no second customer is made"
    assert await scalar(db, "select ref from payments.customers where account_id = %s", account.id) == customer


async def test_many_checkouts_at_once_make_one_customer(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        answers = await race(8, lambda: api.post("/payments", json=body))
    assert {answer.status_code for answer in answers if isinstance(answer, httpx2.Response)} == {201}
    assert len(stripe.all("customers")) == 1
    assert await scalar(db, "select count(*)::int from payments.customers") == 1


async def test_lost_response_is_retried(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    stripe.next("checkout/sessions", Fault(status=500))  # the session is made, and nobody is told
    async with shop_site.api(account) as api:
        payment = await checkout(api)
    assert len(stripe.all("checkout/sessions")) == 1
    assert payment["checkout_url"] == stripe.all("checkout/sessions")[0]["url"]


async def test_stripe_is_away(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    stripe.next("checkout/sessions", *[Fault(status=503, done=False)] * 4)
    async with shop_site.api(account) as api:
        body = {"pack_id": (await pack(api))["id"], "gateway": "stripe"}
        answer = await api.post("/payments", json=body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:vetrina:gateway-failed")
        assert "Nothing was charged" in answer.json()["detail"]
        assert (await api.get("/payments")).json()["items"][0]["status"] == "failed"


@pytest.mark.parametrize(
    ("card", "code"), [("4000000000000002", "generic_decline"), ("4000 0000 0000 9995", "insufficient_funds")]
)
async def test_declined_card_is_recorded_and_another_can_pay(
    shop_site: Site, stripe: StripeFake, make: Make, db: Database, card: str, code: str
) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        page = await shop_site.client.post(session["url"], data={"card": card})
        assert page.status_code == 200 and 'role="alert"' in page.text
        await delivered(shop_site.services, stripe)
        await drain(shop_site.services)
        assert (await one(api, payment))["status"] == "pending"
        stored = "select string_agg(concat_ws('|', code, reason, amount, currency), ' ') from payments.failed_transactions"
        assert await scalar(db, stored) == f"{code}|{stripe.all('charges')[0]['failure_message']}|1499|USD"
        stripe.pay(session["id"], GOOD)
        await delivered(shop_site.services, stripe)
        assert (await one(api, payment))["status"] == "completed"
    assert await make.balance(account) == (200, 0)
    await right(make)


@pytest.mark.parametrize("comes", [True, False])
async def test_a_slow_way_of_paying(shop_site: Site, stripe: StripeFake, make: Make, comes: bool) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        stripe.pay(session["id"], SLOW)
        await delivered(shop_site.services, stripe)
        assert (await one(api, payment))["status"] == "pending"
        stripe.slow_money(session["id"], comes=comes)
        await delivered(shop_site.services, stripe)
        assert (await one(api, payment))["status"] == ("completed" if comes else "failed")
    assert await make.balance(account) == (200 if comes else 0, 0)


async def test_unpaid_checkout_expires(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        reported, requested = await checkout(api), await checkout(api)
        with stripe.lock:
            stripe.run_out(session_of(stripe, reported))
        await delivered(shop_site.services, stripe)
        assert (await one(api, reported))["status"] == "expired"
        await overdue(db)
        await jobs.expire_due(shop_site.services)
        assert (await one(api, requested))["status"] == "expired"


async def test_paid_checkout_without_return_is_settled_by_the_sweep(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    stripe.post.faults.drop = 1.0
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        stripe.pay(session_of(stripe, payment)["id"])
        result = await sweep.sweep(shop_site.services, young=NOW, pause=NOW)
        assert (result.asked, result.paid, result.away) == (1, 1, 0)
        assert (await one(api, payment))["status"] == "completed"
    assert await make.balance(account) == (200, 0)
    await right(make)


async def test_a_return_is_only_a_hint(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        name = session_of(stripe, payment)["id"]
        for _ in range(3):
            answer = await shop_site.client.get("/payments/stripe/return", params={"session": name})
            assert answer.headers["location"] == f"/payments/{payment['id']}"
        assert (await one(api, payment))["status"] == "pending"
    assert (await shop_site.client.get("/payments/stripe/return", params={"session": "cs_test_unknown"})).status_code == 404
    assert (await shop_site.client.get("/payments/stripe/return")).status_code == 422
    assert await make.balance(account) == (0, 0)


async def test_another_sum_than_ours_grants_nothing(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        with stripe.lock:
            session["amount_total"] = 99
        stripe.pay(session["id"])
        await delivered(shop_site.services, stripe)
        await shop_site.client.get("/payments/stripe/return", params={"session": session["id"]})
        assert (await one(api, payment))["status"] == "pending"
        dead = "select count(*)::int from payments.webhook_events where outcome = 'dead' and error like '%%not 99%%'"
        assert await scalar(db, dead) == 2, "the session's and the charge's"
    assert await make.balance(account) == (0, 0)


async def test_concurrent_webhook_and_poll_grant_once(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account = await make.account(tokens=0)
    stripe.post.faults.copies = 3
    async with shop_site.api(account) as api:
        payment = await checkout(api)
        name = session_of(stripe, payment)["id"]
        stripe.pay(name)
        coming: list[Any] = [shop_site.client.get("/payments/stripe/return", params={"session": name}) for _ in range(16)]
        await asyncio.gather(
            *coming, delivered(shop_site.services, stripe), sweep.sweep(shop_site.services, young=NOW, pause=NOW)
        )
        assert (await one(api, payment))["status"] == "completed"
    assert await make.balance(account) == (200, 0)
    assert await scalar(db, "select count(*)::int from core.usage where action = 'payment_completed'") == 1
    await right(make)
