"""A purchase in a real browser: the page that waits goes on by itself."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site

pytestmark = needs_chromium


async def test_tokens_are_bought_and_the_waiting_page_goes_on_by_itself(site: Site, make: Make) -> None:
    account = await make.account(tokens=0)
    faults: list[str] = []
    async with browsing(site.url, viewport={"width": 360, "height": 780}) as context:
        await sign_in(context, site.url, account)
        shop, waiting = await context.new_page(), await context.new_page()
        for page in (shop, waiting):
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        await shop.goto("/wallet/buy?next=/account")
        await shop.get_by_role("radio", name="Studio").check()
        await shop.get_by_role("button", name="Continue to checkout").click()
        await expect(shop.get_by_role("heading", name="$14.99")).to_be_visible()
        await waiting.goto("/payments")
        await waiting.get_by_role("link", name="200 tokens").click()
        await expect(waiting.get_by_role("heading", name="Waiting for the payment")).to_be_visible()
        place = waiting.url
        await shop.get_by_role("button", name="Pay").click()
        await expect(shop.get_by_role("heading", name="Payment received")).to_be_visible()
        assert shop.url == place
        await expect(waiting.get_by_role("heading", name="Payment received")).to_be_visible(timeout=5000)
        await expect(waiting.get_by_role("link", name="Continue")).to_have_attribute("href", "/account")
    assert faults == []
    assert await make.balance(account) == (200, 0)
