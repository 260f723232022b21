"""A real browser: Debian's Chromium, driven as a person would; what its pages' scripts do wrong fails the test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

from tests.factories import Account

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@asynccontextmanager
async def browsing(url: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile on the site at `url`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(base_url=url, reduced_motion="reduce", **options)
        faults: list[str] = []
        context.on("weberror", lambda error: faults.append(str(error.error)))
        yield context
        await browser.close()
    assert faults == []


async def sign_in(context: BrowserContext, url: str, account: Account) -> None:
    """Give the browser the account's cookie."""
    await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in account.cookies.items()])


async def judge(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{each['impact']}: {each['id']} at {each['nodes'][0]['html'][:160]}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
