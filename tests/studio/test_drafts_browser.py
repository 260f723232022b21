"""The draft as a person meets it: leave and return, reload, sign out and in, buy tokens."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import upload

pytestmark = needs_chromium


async def enter(page: Page, product: str) -> None:
    """Choose a picture, a style, a setting, a seed and words, and wait until the draft is saved."""
    await page.goto("/studio")
    await page.locator("[data-slot=product] summary").click()
    await page.locator(f"input[name=product_files][value='{product}']").check()
    await page.get_by_role("radio", name="Oil painting").check()
    await page.evaluate("document.querySelector('[data-settings]').open = true")
    await page.locator("[id='p.oil.size']").fill("640")
    await page.locator("#seed").fill("77")
    await page.locator("#prompt").fill("A cup in oil")
    await expect(page.locator("[data-saved]")).to_have_text("Draft saved")


async def expect_draft(page: Page, product: str) -> None:
    """Check that the form is what `enter` entered."""
    await expect(page.get_by_text("We restored your draft.")).to_be_visible()
    await expect(page.locator("input[name=product_files]:checked")).to_have_value(product)
    await expect(page.locator("input[name=style]:checked")).to_have_value("oil")
    await expect(page.locator("[id='p.oil.size']")).to_have_value("640")
    await expect(page.locator("#seed")).to_have_value("77")
    await expect(page.locator("#prompt")).to_have_value("A cup in oil")


@pytest.mark.parametrize("width", [360, 1280])
async def test_draft_survives_leaving_reload_and_signing_in_again(site: Site, make: Make, width: int) -> None:
    account = await make.account(tokens=5)
    async with site.api(account) as api:
        product = await upload(api)
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await enter(page, product)
        await page.goto("/library")
        await page.goto("/studio")
        await expect_draft(page, product)
        await page.reload()
        await expect_draft(page, product)
        await context.clear_cookies()
        await page.goto("/studio")
        assert "/sign-in" in page.url
        await sign_in(context, site.url, account)
        await page.goto("/studio")
        await expect_draft(page, product)
        await page.get_by_role("button", name="Start fresh").click()
        await expect(page.locator("#prompt")).to_have_value("")
        await page.get_by_role("button", name="Undo").click()
        await expect_draft(page, product)


@pytest.mark.parametrize("scripts", [True, False])
async def test_draft_is_there_after_a_purchase_and_generate_works(site: Site, make: Make, *, scripts: bool) -> None:
    account = await make.account(tokens=0)
    async with site.api(account) as api:
        for _ in range(2):  # the free plan's conversions are spent elsewhere
            started = await api.post(
                "/generations", json={"style_name": "oil", "product_files": [await upload(api)], "asset": "conversion"}
            )
            assert started.status_code in {201, 402, 403}
        product = await upload(api)
    async with browsing(site.url, viewport={"width": 360, "height": 800}, java_script_enabled=scripts) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        if scripts:
            await enter(page, product)
        else:
            await page.goto(f"/studio?product={product}")
            await page.get_by_role("radio", name="Oil painting").check()
            await page.locator("#prompt").fill("A cup in oil")
            await page.get_by_text("Settings", exact=True).click()
            await page.locator("#seed").fill("77")
            await page.locator("[id='p.oil.size']").fill("640")
        await page.get_by_role("button", name="Buy tokens").click()
        await page.wait_for_url(re.compile("/wallet/buy"))
        await page.get_by_role("button", name="Continue to checkout").click()
        await page.get_by_role("button", name="Pay").click()
        await page.get_by_role("link", name="Continue").click()
        await page.wait_for_url(re.compile(r"/studio$"))
        await expect_draft(page, product)
        await page.get_by_role("button", name="Generate").click()
        await page.wait_for_url(re.compile(r"/studio/generations/[0-9a-f-]{36}$"))
        async with site.api(account) as api:
            generation = (await api.get(f"/generations/{page.url.rpartition('/')[2]}")).json()
        assert generation["seed"] == 77 and generation["parameters"]["size"] == 640 and generation["prompt"] == "A cup in oil"
        await page.goto("/studio")
        await expect(page.get_by_text("We restored your draft.")).to_have_count(0)
