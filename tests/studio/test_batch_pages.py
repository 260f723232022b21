"""Batches, favourites and comparisons on pages, with and without scripts."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import QUICK, ended, upload
from vetrina.core.services import Services
from vetrina.demo.photos import path_of


def form(product: str | list[str], **changes: Any) -> dict[str, Any]:
    """What the studio's form sends for a batch of variations."""
    return {
        "style": "watercolour", "asset": "token", "seed": "3", "product_files": product, "p.watercolour.size": "480",
        "make": "seeds", "count": "3", **changes,
    }  # fmt: skip


async def judge_everywhere(page: Page) -> list[str]:
    """What axe-core finds in both themes and both directions."""
    faults: list[str] = []
    views: list[tuple[Literal["light", "dark"], str]] = [("light", "rtl"), ("dark", "rtl"), ("dark", "ltr"), ("light", "ltr")]
    for scheme, direction in views:
        await page.emulate_media(color_scheme=scheme)
        await page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        faults += await judge(page)
    return faults


async def test_form_without_scripts_shows_the_total_first(site: Site, make: Make) -> None:
    account = await make.account(tokens=5)
    async with site.browser(account) as browser, site.api(account) as api:
        product = await upload(api)
        quoted = await browser.post("/studio", data=form(product))
        assert quoted.status_code == 200 and "3 pictures cost 3, 2 are left afterwards" in quoted.text
        assert 'name="total" value="3"' in quoted.text and await make.balance(account) == (5, 0)
        stale = await browser.post("/studio", data=form(product, total="2"))
        assert stale.status_code == 200 and await make.balance(account) == (5, 0), "another price is shown first"
        started = await browser.post("/studio", data=form(product, total="3"))
        assert started.status_code == 303 and re.fullmatch(r"/studio/batches/[0-9a-f-]{36}", started.headers["location"])
        assert await make.balance(account) == (2, 3)
        page = (await browser.get(started.headers["location"])).text
        assert "0 of 3 done" in page and "Cancel all" in page and "Number 3 in the queue" in page
        refused = await browser.post("/studio", data=form(product, total="3"))
        assert refused.status_code == 402 and "enough for 2" in refused.text
        assert await make.balance(account) == (2, 3)
        assert (await browser.post(f"{started.headers['location']}/cancellation")).status_code == 303
        page = (await browser.get(started.headers["location"])).text
        assert "3 of 3 done" in page and "3 tokens refunded" in page and "Cancel all" not in page
    assert await make.balance(account) == (5, 0)


async def test_page_of_another_account_is_hidden(site: Site, make: Make) -> None:
    account, stranger = await make.account(tokens=5), await make.account()
    async with site.api(account) as api, site.browser(stranger) as browser:
        product = await upload(api)
        batch = await api.post("/batches", json={"kind": "seeds", "style_name": "oil", "product_files": [product], "count": 2})
        path = f"/studio/batches/{batch.json()['id']}"
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post(f"{path}/cancellation")).status_code == 404
        generation = batch.json()["items"][0]["id"]
        assert (
            await browser.post(f"/studio/generations/{generation}/favourite", data={"is_favourite": "true"})
        ).status_code == 404
    assert await make.balance(account) == (3, 2)


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_batch_is_priced_started_watched_compared_and_marked(site: Site, worker: Services, make: Make, width: int) -> None:
    account = await make.account(tokens=4)
    async with site.api(account) as api:
        files = [await upload(api), await upload(api, photo="cat")]
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto(f"/studio?product={files[0]}&product={files[1]}")
        await page.evaluate("document.querySelector('[data-settings]').open = true")
        await page.locator("input[name=asset][value=token]").check()
        await page.locator("#make").select_option("seeds")
        await page.locator("#count").fill("6")
        await expect(page.locator("[data-line=cost]")).to_have_text("6")
        await expect(page.locator("[data-why]")).to_have_text("Enough for 4 of 6.")
        await expect(page.locator("[data-generate]")).to_be_disabled()
        await page.locator("#make").select_option("styles")
        await page.locator(".only-styles summary").click()
        for title in ("Oil painting", "Comic"):
            await page.locator(".ticks label", has_text=title).locator("input").check()
        await expect(page.locator("[data-line=cost]")).to_have_text("2")
        await page.locator("#make").select_option("pictures")
        await expect(page.locator("[data-line=style]")).to_have_text("Watercolour × 2")
        await expect(page.locator("[data-line=after]")).to_have_text("2")
        await page.locator("[id='p.watercolour.size']").fill("480")
        assert await judge(page) == []
        await page.get_by_role("button", name="Generate").click()
        await page.wait_for_url(re.compile(r"/studio/batches/[0-9a-f-]{36}$"))
        await expect(page.get_by_text("2 of 2 done")).to_be_visible(timeout=60_000)  # by itself
        assert await judge_everywhere(page) == []
        await page.locator("li.history-item").nth(0).get_by_role("button", name="Favourite").click()
        await expect(page.locator("li.history-item").nth(0).get_by_role("button")).to_have_attribute("aria-pressed", "true")
        for tick in await page.locator(".tick input").all():
            await tick.check()
        await page.get_by_role("button", name="Compare two").click()
        await page.wait_for_url(re.compile("/studio/compare"))
        slider = page.get_by_role("slider")
        await slider.focus()
        for _ in range(5):
            await page.keyboard.press("ArrowRight")
        await expect(slider).to_have_attribute("aria-valuetext", "55 %")
        assert await judge_everywhere(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.goto("/studio/generations?status=favourites")
        await expect(page.locator("li.history-item")).to_have_count(1)
        await page.locator("li.history-item a").click()
        await page.get_by_role("link", name="Use as the next picture").click()
        await expect(page.locator("input[name=product_files]:checked")).to_have_count(1)
        await page.get_by_role("button", name="Generate").click()
        await page.wait_for_url(re.compile(r"/studio/generations/[0-9a-f-]{36}$"))


@needs_chromium
async def test_uploads_beyond_the_limit_are_reported_before_sending(site: Site, make: Make) -> None:
    account = await make.account(tokens=1)
    async with site.api(account) as api:
        for _ in range(3):
            await upload(api)
    async with browsing(site.url, viewport={"width": 360, "height": 740}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio")
        left = int(await page.locator("form[data-uploads]").get_attribute("data-uploads") or "")
        photos = [path_of(photo) for photo in ("coffee", "cat", "room", "coffee")]
        assert left == 2
        delays = iter([1.0])

        async def delay(route: Route) -> None:  # the first picture arrives last
            await asyncio.sleep(next(delays, 0))
            await route.continue_()

        await page.route("**/api/v1/files", delay)
        await page.locator("input[name=product_upload]").set_input_files(photos)
        await expect(page.get_by_text("2 of 4 do not fit: 2 uploads are left this month.")).to_be_visible()
        pictures = page.locator("[data-slot=product] [data-chosen] img")
        await expect(pictures).to_have_count(2)
        names = [await pictures.nth(n).get_attribute("alt") for n in range(2)]
        assert names == [path_of("coffee").name, path_of("cat").name], "in the order of the drop"
    async with site.api(account) as api:
        assert len((await api.get("/files")).json()["items"]) == 5


@needs_chromium
async def test_too_many_pictures_are_reported_before_the_click(site: Site, make: Make) -> None:
    account = await make.account(tokens=9)
    async with site.api(account) as api:
        files = [await upload(api, photo=photo) for photo in ("coffee", "cat", "room", "coffee", "cat")]
    async with browsing(site.url, viewport={"width": 360, "height": 740}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio?" + "&".join(f"product={file}" for file in files))
        await page.get_by_text("Settings", exact=True).click()
        await page.locator("input[name=asset][value=token]").check()
        await expect(page.locator("[data-why]")).to_contain_text("At most 4 of a kind")
        await expect(page.locator("[data-generate]")).to_be_disabled()
        await page.locator("#make").select_option("pictures")
        await expect(page.locator("[data-generate]")).to_be_enabled()
        await expect(page.locator("[data-line=cost]")).to_have_text("5")
        await expect(page.locator("[data-saved]")).to_have_text("Draft saved")
        await page.goto("/studio")
        await expect(page.locator("#make")).to_have_value("pictures")
        await expect(page.locator("input[name=product_files]:checked")).to_have_count(5)


async def test_comparison_needs_two_results_of_the_account(site: Site, worker: Services, make: Make) -> None:
    account, stranger = await make.account(tokens=5), await make.account()
    async with site.api(account) as api, site.browser(account) as browser, site.browser(stranger) as others:
        body = {"kind": "seeds", "style_name": "oil", "product_files": [await upload(api)], "count": 2, "parameters": QUICK}
        ids = [row["id"] for row in (await api.post("/batches", json=body)).json()["items"]]
        for name in ids:
            await ended(api, name)
        query = f"/studio/compare?generation={ids[0]}&generation={ids[1]}"
        page = await browser.get(query)
        assert page.status_code == 200 and page.text.count("Oil painting") >= 4
        assert (await others.get(query)).status_code == 404
        one_only = await browser.get(f"/studio/compare?generation={ids[0]}")
        assert one_only.status_code == 303 and one_only.headers["location"] == "/studio/generations"
