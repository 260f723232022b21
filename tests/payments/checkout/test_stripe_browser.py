"""A card payment in a real browser, out to Stripe's page and back, and what its operator sees of it."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.fakes.stripe import StripeFake
from tests.payments.stripe_helpers import an_operator, delivered
from tests.server import Site
from vetrina.core.database.connection import Database

pytestmark = needs_chromium


async def test_a_pack_is_bought_by_card(shop_site: Site, stripe: StripeFake, make: Make, db: Database) -> None:
    account, operator = await make.account(tokens=0), await an_operator(make, db)
    async with browsing(shop_site.url, viewport={"width": 360, "height": 780}) as context:
        await sign_in(context, shop_site.url, account)
        page = await context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        await page.goto("/wallet/buy?next=/account")
        await page.get_by_role("radio", name="Studio").first.check()
        await page.get_by_role("button", name="Continue to checkout").click()
        # Out of the house: form-action lets the browser follow the redirect.
        await expect(page.get_by_role("heading", name="Studio, 200 tokens")).to_be_visible()
        await page.get_by_label("Card number").fill("4000 0000 0000 0002")
        await page.get_by_role("button", name="Pay").click()
        await expect(page.get_by_role("alert")).to_contain_text("declined")
        await page.get_by_label("Card number").fill("4242 4242 4242 4242")
        await page.get_by_role("button", name="Pay").click()
        await expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
        await page.get_by_role("link", name="Receipt").click()
        await expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
        assert await judge(page) == []
        assert refused == []
    assert await make.balance(account) == (200, 0)

    stripe.dispute(stripe.all("payment_intents")[0]["id"])
    await delivered(shop_site.services, stripe)
    async with browsing(shop_site.url) as context:
        await sign_in(context, shop_site.url, operator)
        page = await context.new_page()
        for path, heading in (("/operator/payments", "Payments"), ("/operator/webhooks", "Webhooks")):
            for theme in ("light", "dark"):
                await page.emulate_media(color_scheme=theme)
                await page.goto(path)
                await expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
                assert await judge(page) == [], path
        await page.get_by_role("link", name="charge.dispute.created").click()
        await expect(page.get_by_text("needs_response").first).to_be_visible()
        assert await judge(page) == []
        await page.get_by_role("button", name="Retry").click()
        await expect(page.get_by_text("1 event is being applied again.")).to_be_visible()
        await page.goto("/operator/payments")
        await page.get_by_role("link", name="Studio, 200 tokens").click()
        await expect(page.get_by_text("200 revoked, 0 already spent")).to_be_visible()
        assert await judge(page) == []
