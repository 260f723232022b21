"""Pages follow the account's generations: the balance, the history, the tab's title, without a reload."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.core.services import Services

HIDDEN = "Object.defineProperty(document, 'hidden', { get: () => window.away ?? false })"


async def test_stream_has_the_changes_of_the_account_and_of_no_other(site: Site, make: Make) -> None:
    ada, eve = await make.account(tokens=5), await make.account(tokens=5)
    async with site.api(ada) as api, site.api(eve) as other:
        product, foreign = await upload(api), await upload(other)
        async with api.stream("GET", "/generations/events") as stream:
            lines = stream.aiter_lines()
            assert "listening" in await anext(lines)
            started = (await other.post("/generations", json=wish(foreign))).json()["id"]
            assert (await other.post(f"/generations/{started}/cancellation")).status_code == 200
            own = (await api.post("/generations", json=wish(product))).json()["id"]
            assert (await api.post(f"/generations/{own}/cancellation")).status_code == 200
            async with asyncio.timeout(10):
                states = [json.loads(line.removeprefix("data: ")) async for line in first(lines, 1)]
    assert [(state["id"], state["status"]) for state in states] == [(own, "cancelled")]


async def first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    """Yield the first `count` lines that name a state."""
    async for line in lines:
        if line.startswith("data: {") and "status" in line:
            yield line
            count -= 1
        if count == 0:
            return


@needs_chromium
async def test_history_and_balance_follow_without_a_reload(site: Site, make: Make) -> None:
    account = await make.account(tokens=20)
    async with site.api(account) as api, browsing(site.url) as context:
        generation = (await api.post("/generations", json=wish(await upload(api)))).json()["id"]
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio/generations")
        await page.evaluate("window.sameDocument = true")
        item = page.locator(f"[data-generation='{generation}']")
        await expect(item).to_contain_text("Waiting")
        await expect(page.locator(".balance")).to_have_text("19")
        assert (await api.post(f"/generations/{generation}/cancellation")).status_code == 200
        await expect(item).to_contain_text("Cancelled")
        await expect(page.locator(".balance")).to_have_text("20")
        assert await page.evaluate("window.sameDocument")


@needs_chromium
@pytest.mark.parametrize("path", ["/library", "/studio/generations/{id}"])
async def test_title_says_that_a_picture_is_ready_until_one_looks(site: Site, worker: Services, make: Make, path: str) -> None:
    account = await make.account(tokens=20)
    async with site.api(account) as api, browsing(site.url) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.add_init_script(HIDDEN)
        slow = wish(await upload(api)) | {"parameters": {"size": 1600}}
        generation = (await api.post("/generations", json=slow)).json()["id"]
        await page.goto(path.format(id=generation))
        await page.evaluate("window.away = true")
        assert (await ended(api, generation))["status"] == "completed"
        await page.wait_for_function("document.title.startsWith('(1) ')")
        await page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_function("!document.title.startsWith('(')")
