"""The page of prices in a real browser: narrow and wide, both themes and directions, without JavaScript."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium
from tests.server import Site

pytestmark = needs_chromium
PICTURES = os.environ.get("VETRINA_SCREENSHOTS")


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize(("language", "theme"), [("en-US", "light"), ("fa-IR", "dark")])
async def test_page_fits_and_is_accessible(site: Site, width: int, language: str, theme: str) -> None:
    options = {"viewport": {"width": width, "height": 900}, "locale": language, "color_scheme": theme}
    async with browsing(site.url, **options) as context:
        page = await context.new_page()
        messages: list[str] = []
        page.on("console", lambda message: messages.append(message.text) if message.type in {"error", "warning"} else None)
        await page.goto("/prices")
        await expect(page.locator(".price-card")).to_have_count(6)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"prices-{language}-{theme}-{width}.png", full_page=True)
        assert await judge(page) == []
    assert messages == []


async def test_currency_is_chosen_without_javascript(site: Site) -> None:
    async with browsing(site.url, viewport={"width": 360, "height": 780}, java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto("/")
        await page.get_by_role("main").get_by_role("link", name="Prices").click()
        await expect(page.get_by_role("heading", name="Prices", exact=True)).to_be_visible()
        await expect(page.get_by_text("$4.99").first).to_be_visible()
        await page.get_by_role("link", name="IRR").click()
        await expect(page.get_by_text("50,000 IRR").first).to_be_visible()
        await page.goto("/prices")
        await expect(page.get_by_text("50,000 IRR").first).to_be_visible()
        await page.get_by_role("link", name="Choose Basic").click()
        await expect(page).to_have_url(f"{site.url}/sign-in?next=%2Fplan")
