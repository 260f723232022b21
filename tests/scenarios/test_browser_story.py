"""The main flow in a real browser, from a visitor's first click to the picture."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import upload, wish
from vetrina.core.services import Services
from vetrina.demo.photos import path_of

pytestmark = needs_chromium


async def test_a_stranger_signs_up_buys_uploads_and_sees_the_picture(site: Site, worker: Services) -> None:
    async with browsing(site.url, viewport={"width": 1280, "height": 900}) as context:
        page = await context.new_page()
        await page.goto("/")
        await page.get_by_role("link", name="Make your first picture").click()
        await page.get_by_label("Name").fill("Ada")
        await page.get_by_label("E-mail").fill("ada@example.com")
        await page.get_by_label("Password", exact=True).fill("a very good long one")
        await page.get_by_role("button", name=re.compile("Sign up|Make")).click()
        await expect(page).to_have_url(re.compile("/studio"))

        await page.goto("/wallet/buy")
        await page.get_by_text("Sketchbook").click()
        await page.get_by_role("button", name=re.compile("Pay|Buy|checkout", re.I)).click()
        await expect(page.get_by_text("Test checkout: no money moves")).to_be_visible()
        await page.get_by_role("button", name="Pay", exact=True).click()
        await expect(page).to_have_url(re.compile("/payments/"))
        await expect(page.locator(".balance").first).to_contain_text("50")

        await page.goto("/studio")
        await page.locator("input[name=product_upload]").set_input_files(path_of("coffee"))
        await page.locator("input[name=model_upload]").set_input_files(path_of("room"))
        await expect(page.locator("[data-slot=product] [data-chosen] li")).to_have_count(1)
        await expect(page.locator("[data-slot=model] [data-chosen] li")).to_have_count(1)
        await page.locator("input[name=group][value=product]").check(force=True)
        await page.locator("input[name=style][value=studio_composite]").check(force=True)
        await page.get_by_label("Describe the picture").fill("An espresso on the table")
        await expect(page.locator("[data-line=cost]")).to_have_text("1")
        await expect(page.locator("input[name=asset][value=conversion]")).to_be_checked()  # the free plan's expire first
        await page.locator("input[name=asset][value=token]").check()
        await page.get_by_role("button", name="Generate").click()
        await expect(page).to_have_url(re.compile("/studio/generations/"))
        await expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=60_000)
        picture = page.locator(".work-picture img").first
        assert await picture.evaluate("async (image) => (await image.decode(), image.naturalWidth)") > 500
        await expect(page.locator(".balance").first).to_contain_text("49")

        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download").click()
        assert (await (await download.value).path()).stat().st_size > 10_000

        await page.get_by_role("link", name="Make another with these settings").click()
        await expect(page.get_by_label("Describe the picture")).to_have_value("An espresso on the table")


async def test_a_picture_is_cancelled_in_the_browser(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    async with browsing(site.url) as context, site.api(account) as api:
        await sign_in(context, site.url, account)
        product = await upload(api, photo="dandelion")
        generation_id = (await api.post("/generations", json=wish(product, style_name="oil", parameters={"size": 3200}))).json()[
            "id"
        ]
        page = await context.new_page()
        await page.goto(f"/studio/generations/{generation_id}")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
        await expect(page.get_by_text("1 token refunded to your wallet.")).to_be_visible()
    assert await make.balance(account) == (3, 0)
