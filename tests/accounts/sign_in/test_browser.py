"""Entering a code in a real browser: typed, pasted, in Persian digits; the countdown; the second factor; before axe-core."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.accounts.auth_helpers import code_to, wrong
from tests.accounts.second_factor.test_second_factor import Authenticator
from tests.browser import browsing, judge, needs_chromium
from tests.server import Site

pytestmark = needs_chromium
PASSWORD, PHONE = "a very good long one", "+989123456789"


async def fine(page: Page) -> None:
    """Nothing serious before axe-core, and not wider than the screen."""
    assert await judge(page) == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1280])
async def test_mailed_code_is_entered_where_one_stands(posting: Site, width: int) -> None:
    async with browsing(posting.url, viewport={"width": width, "height": 800}) as context:
        page = await context.new_page()
        await page.goto("/sign-up")
        await page.get_by_label("E-mail").fill("grace@example.com")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign up").click()
        await expect(page).to_have_url(re.compile("/verify$"))
        await expect(page.locator("#code")).to_be_focused()
        await fine(page)
        await page.get_by_role("link", name="Read it in this development site's outbox").click()
        await expect(page.get_by_role("main").get_by_text("grace@example.com").first).to_be_visible()
        await page.go_back()
        await page.locator("#code").press_sequentially(await code_to(posting, "grace@example.com"))
        await expect(page.get_by_text("grace@example.com is confirmed.")).to_be_visible()
        await expect(page).to_have_url(re.compile("/studio"))


@pytest.mark.parametrize("look", ["light", "dark narrow"])
async def test_complete_code_submits_and_second_factor_is_required(posting: Site, look: str) -> None:
    dark, width = "dark" in look, 360 if "narrow" in look else 1280
    options = {"color_scheme": "dark" if dark else "light", "viewport": {"width": width, "height": 800}}
    async with browsing(posting.url, **options) as context:
        page = await context.new_page()
        await page.goto("/sign-up")
        await page.get_by_role("link", name="For a business").click()
        await page.get_by_role("link", name="Phone", exact=True).click()
        await page.get_by_label("Name of the business").fill("Ada's prints")
        await page.get_by_label("Phone").fill("+98 912 345 6789")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign up").click()
        await expect(page).to_have_url(re.compile("/verify$"))
        await expect(page.locator("#code")).to_be_focused()
        await expect(page.get_by_text(re.compile(r"Good for another (10:00|9:\d\d)"))).to_be_visible()
        await expect(page.get_by_role("button", name="Send another code")).to_be_disabled()
        await fine(page)
        code = await code_to(posting, PHONE)
        await page.locator("#code").press_sequentially(wrong(code))  # the sixth digit sends it
        await expect(page.get_by_text("The code is not right")).to_be_visible()
        await fine(page)
        persian = "".join("۰۱۲۳۴۵۶۷۸۹"[int(item)] for item in code)
        await page.locator("#code").fill(f" {persian[:3]} {persian[3:]} ")  # as a paste does
        await expect(page.get_by_text(f"{PHONE} is confirmed.")).to_be_visible()

        await page.goto("/settings/security")
        await fine(page)
        await page.locator("#password-begin").fill(PASSWORD)
        await page.get_by_role("button", name="Set up an authenticator").click()
        picture = page.get_by_role("img", name=re.compile("QR"))
        assert await picture.evaluate("async (image) => (await image.decode(), image.naturalWidth)") > 0
        await fine(page)
        there = Authenticator("".join(await page.locator(".secret span").all_inner_texts()))
        await page.get_by_label("Code").fill(there.next())
        await page.get_by_role("button", name="Turn it on").click()
        await expect(page.locator(".recovery li")).to_have_count(10)
        await fine(page)
        recovery = await page.locator(".recovery code").first.inner_text()
        await page.goto("/settings/security")
        await fine(page)
        await page.locator(".menu summary").click()
        await page.locator(".menu").get_by_role("button", name="Sign out").click()

        await page.goto("/sign-in?kind=vendor&way=phone&next=/wallet")
        await page.get_by_label("Phone").fill(PHONE)
        await page.get_by_role("button", name="Send me a code instead").click()
        await page.locator("#code").fill(await code_to(posting, PHONE, 3))
        await expect(page).to_have_url(re.compile("/sign-in/second-factor$"))
        await fine(page)
        await page.locator("#code").fill(recovery)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page).to_have_url(re.compile("/wallet$"))
