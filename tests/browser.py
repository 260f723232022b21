"""A real browser: Debian's Chromium, driven as a person would; what its pages' scripts do wrong fails the test."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

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


class _Chromium:
    """One Chromium for all tests of this process, in a loop of its own; tests have loops that end with them."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._running: Future[None] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()], daemon=True)
        self._thread.start()
        self._running.result(60)

    async def _run(self) -> None:
        try:
            async with async_playwright() as playwright:
                port = self.url.rpartition(":")[2]
                arguments = ["--no-sandbox", f"--remote-debugging-port={port}"]
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
                self._running.set_result(None)
                await self._end.wait()
                await browser.close()
        except BaseException as error:
            if not self._running.done():
                self._running.set_exception(error)
            raise

    def close(self) -> None:
        """End the browser."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)


@cache
def _chromium() -> _Chromium:
    return _Chromium()


def close() -> None:
    """End the browser, if a test has used it."""
    if _chromium.cache_info().currsize:
        _chromium().close()
        _chromium.cache_clear()


@asynccontextmanager
async def browsing(url: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile on the site at `url`."""
    at = (await asyncio.to_thread(_chromium)).url
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(at)
        context = await browser.new_context(base_url=url, reduced_motion="reduce", **options)
        faults: list[str] = []
        context.on("weberror", lambda error: faults.append(str(getattr(error.error, "stack", "") or error.error)))
        try:
            yield context
        finally:
            await context.close()
            await browser.close()
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
