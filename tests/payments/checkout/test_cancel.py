"""A checkout that was left: gone on with, cancelled, or paid all the same; and Stripe's page of cards and invoices."""

from __future__ import annotations

import pytest

from tests.factories import Make
from tests.fakes.stripe import Fault, StripeFake
from tests.fakes.stripe.protocol import Wrong
from tests.payments.helpers import one, press, start
from tests.payments.stripe_helpers import bought, checkout, right, session_of
from tests.server import Site


async def test_a_checkout_that_was_left(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account, stranger = await make.account(tokens=0), await make.account(tokens=0)
    async with shop_site.api(account) as api, shop_site.browser(account) as browser, shop_site.browser(stranger) as other:
        payment = await checkout(api)
        session = session_of(stripe, payment)
        assert session["cancel_url"] == f"{shop_site.url}/payments/{payment['id']}?left=1"
        page = await browser.get(f"/payments/{payment['id']}?left=1")
        assert "Not paid yet" in page.text and session["url"] in page.text
        assert "Waiting for the payment" in (await browser.get(f"/payments/{payment['id']}")).text

        home = f"/payments/{payment['id']}"
        assert (await other.post(f"{home}/cancellation")).status_code == 404
        for _ in range(2):
            assert (await browser.post(f"{home}/cancellation")).headers["location"] == home
        assert (await one(api, payment))["status"] == "cancelled"
        with pytest.raises(Wrong):
            stripe.pay(session["id"])
    assert await make.balance(account) == (0, 0)


async def test_cancellation_after_payment_completes_it(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api, shop_site.browser(account) as browser:
        payment = await checkout(api)
        stripe.post.hold()
        stripe.pay(session_of(stripe, payment)["id"])
        await browser.post(f"/payments/{payment['id']}/cancellation")
        assert (await one(api, payment))["status"] == "completed"
    assert await make.balance(account) == (200, 0)
    await right(make)


async def test_checkout_stays_open_if_the_gateway_cannot_close_it(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop_site.api(account) as api, shop_site.browser(account) as browser:
        payment = await checkout(api)
        stripe.next("checkout/sessions", *[Fault(status=503, done=False)] * 2)
        answer = await browser.post(f"/payments/{payment['id']}/cancellation")
        assert "does not answer" in (await browser.get(answer.headers["location"])).text
        assert (await one(api, payment))["status"] == "pending"


async def test_the_sandbox_is_left_too(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api, site.browser(account) as browser:
        payment = await start(api)
        await browser.post(f"/payments/{payment['id']}/cancellation")
        assert (await one(api, payment))["status"] == "cancelled"
        await press(site.client, payment, "paid")
        assert (await one(api, payment))["status"] == "completed"
        assert (await browser.post("/payments/billing")).status_code == 404


async def test_cards_and_invoices_are_at_stripe(shop_site: Site, stripe: StripeFake, make: Make) -> None:
    account = await make.account(tokens=0)
    async with shop_site.browser(account) as browser:
        assert "Cards and invoices" not in (await browser.get("/payments")).text
        await bought(shop_site, stripe, account)
        page = await browser.get("/payments")
        assert "Cards and invoices" in page.text and stripe.url in page.headers["content-security-policy"]
        address = (await browser.post("/payments/billing")).headers["location"]
        assert address.startswith(f"{stripe.url}/p/session/")
        assert f"{shop_site.url}/payments" in (await shop_site.client.get(address)).text
        assert len(stripe.all("customers")) == 1
        stripe.key = "another"
        assert (await browser.post("/payments/billing")).headers["location"] == "/payments"
    assert (await shop_site.client.post("/payments/billing")).status_code == 303
