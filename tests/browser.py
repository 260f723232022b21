"""A real browser: Debian's Chromium, driven as a person would; what its pages' scripts do wrong fails the test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from tests.factories import Account

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
SERIOUS = """async (rules) => {
  const {violations} = await axe.run(document, {runOnly: rules, resultTypes: ['violations']});
  const serious = violations.filter(({impact}) => impact === 'serious' || impact === 'critical');
  return serious.map(({impact, id, nodes}) => `${impact}: ${id} at ${nodes[0].html.slice(0, 160)}`);
}"""
"""The whole answer of axe is as long as the page; only the faults leave the browser."""
MODERATE = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']});
  const faults = violations.filter(({impact}) => impact !== 'minor');
  return faults.map(({impact, id, nodes}) => `${impact}: ${id} at ${nodes[0].html.slice(0, 160)}`);
}"""
"""By all rules of axe, good practice included; everything above minor."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def _ready() -> asyncio.Lock:
    return asyncio.Lock()


_started: list[tuple[Playwright, Browser]] = []
"""The one driver and Chromium of this process, once a test has needed them: each driver costs half a second of a processor."""


async def _chromium() -> Browser:
    async with _ready():
        if not _started:
            playwright = await async_playwright().start()
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            _started.append((playwright, browser))
    return _started[0][1]


async def close() -> None:
    """End the browser, if a test has used it."""
    while _started:
        playwright, browser = _started.pop()
        await browser.close()
        await playwright.stop()


@asynccontextmanager
async def browsing(url: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile on the site at `url`."""
    context = await (await _chromium()).new_context(base_url=url, reduced_motion="reduce", **options)
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(getattr(error.error, "stack", "") or error.error)))
    try:
        yield context
    finally:
        await context.close()
    assert faults == [], f"errors of scripts: {faults}"


async def sign_in(context: BrowserContext, url: str, account: Account) -> None:
    """Give the browser the account's cookie."""
    await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in account.cookies.items()])


async def judge(page: Page) -> list[str]:
    """What axe-core finds serious or critical on the page."""
    await page.evaluate(_axe())
    return await page.evaluate(SERIOUS, RULES)


async def judge_strictly(page: Page) -> list[str]:
    """What axe-core finds moderate, serious or critical on the page, by the rules of good practice too."""
    await page.evaluate(_axe())
    return await page.evaluate(MODERATE)


@cache
def _axe() -> str:
    return AXE.read_text()
