"""A chosen picture stays chosen on every way into the studio, so that Generate starts with it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import upload, wish

pytestmark = needs_chromium

Way = Callable[[Page, str, str], Awaitable[None]]
CHOSEN = "input[name=product_files]:checked"


async def again(page: Page, product: str, generation: str) -> None:
    """Open the studio with the settings of an earlier generation, and change nothing."""
    await page.goto(f"/studio?again={generation}")


async def edited_settings(page: Page, product: str, generation: str) -> None:
    """Follow the link of a cancelled generation that leads to its settings, and change the words."""
    await page.goto(f"/studio/generations/{generation}")
    await page.get_by_role("link", name=re.compile("settings")).click()
    await page.locator("#prompt").fill("Another cup")


async def use_in_studio(page: Page, product: str, generation: str) -> None:
    """Follow the link of a picture in the library."""
    await page.goto(f"/library/{product}")
    await page.locator("main").get_by_role("link", name=re.compile("studio", re.I)).click()


async def refused_submit(page: Page, product: str, generation: str) -> None:
    """Send the form with a seed that is refused; the page that returns has the picture ticked."""
    await page.goto(f"/studio?product={product}")
    await page.evaluate("document.querySelector('[data-settings]').open = true")
    await page.evaluate("document.querySelector('#seed').type = 'text'; document.querySelector('form.studio').noValidate = true")
    await page.locator("#seed").fill("none")
    await page.get_by_role("button", name="Generate").click()
    await expect(page.locator("#seed-error")).to_be_visible()
    await page.locator("#seed").fill("")


async def back_from_payment(page: Page, product: str, generation: str) -> None:
    """Buy tokens from the studio's own link, with the picture chosen, and continue."""
    await page.goto(f"/studio?product={product}")
    await expect(page.locator(CHOSEN)).to_have_count(1)
    await page.evaluate("document.querySelector('[data-buy]').hidden = false")
    await page.get_by_role("button", name="Buy tokens").click()
    await page.get_by_role("button", name="Continue to checkout").click()
    await page.get_by_role("button", name="Pay").click()
    await page.get_by_role("link", name="Continue").click()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("way", [again, edited_settings, use_in_studio, refused_submit, back_from_payment])
async def test_generate_starts_with_the_chosen_picture(site: Site, make: Make, way: Way, width: int) -> None:
    account = await make.account(tokens=20)
    async with site.api(account) as api:
        product = await upload(api)
        await upload(api, photo="cat")  # another one, which is not chosen
        first = (await api.post("/generations", json=wish(product))).json()["id"]
        assert (await api.post(f"/generations/{first}/cancellation")).status_code in {200, 204}
        async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
            await sign_in(context, site.url, account)
            page = await context.new_page()
            await way(page, product, first)
            await expect(page.locator(CHOSEN)).to_have_count(1)
            assert await page.locator(CHOSEN).get_attribute("value") == product
            await page.get_by_role("button", name="Generate").click()
            await page.wait_for_url(re.compile(r"/studio/generations/[0-9a-f-]{36}$"))
            generation = (await api.get(f"/generations/{page.url.rpartition('/')[2]}")).json()
        assert generation["id"] != first
        assert [file["id"] for file in generation["product_files"]] == [product]
