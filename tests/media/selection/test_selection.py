"""Acts on several pictures at once: over forms with undo, and in a browser."""

from __future__ import annotations

import base64
import html
import re

import pytest
from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.media.delivery.test_delivery import kept
from tests.media.files.test_browser import DROP
from tests.media.processing import bad_files as corpus
from tests.server import Site


async def test_publication_and_tags_are_undone(site: Site, make: Make):
    account, stranger = await make.account(), await make.account()
    rows = [await kept(site, account, public=number == 0) for number in range(3)]
    foreign = await kept(site, stranger)
    ids = [str(row.id) for row in [*rows, foreign]]
    async with site.api(account) as api, site.browser(account) as browser, site.api(stranger) as other:

        async def state() -> list[tuple[bool, list[str]]]:
            return [(file["is_public"], file["tags"]) for file in reversed((await api.get("/files")).json()["items"])]

        async def undo() -> None:
            page = (await browser.get("/library")).text
            form = re.search(r'action="([^"]+)"><input type="hidden" name="id" value="([^"]+)"', page)
            assert form, page
            assert (await browser.post(html.unescape(form[1]), data={"id": form[2]})).status_code == 303

        before = await state()
        assert (await browser.post("/library/publication", data={"id": ids})).status_code == 303
        assert [public for public, _ in await state()] == [True] * 3
        await undo()
        assert await state() == before, "the one that was public stays public"
        await browser.post("/library/tagging", data={"id": ids, "tag": " Summer & sea "})
        assert [tags for _, tags in await state()] == [["Summer & sea"]] * 3
        await browser.post("/library/tagging", data={"id": ids, "tag": "summer & SEA"})
        assert "Nothing was changed" in (await browser.get("/library")).text
        await browser.post("/library/tagging", data={"id": ids[:1], "tag": "cup"})
        await undo()
        assert [tags for _, tags in await state()] == [["Summer & sea"]] * 3
        await browser.post("/library/tagging", data={"id": ids, "tag": "a,b"})
        assert "A tag needs 1 to 40 characters" in (await browser.get("/library")).text
        (untouched,) = (await other.get("/files")).json()["items"]
        assert (untouched["is_public"], untouched["tags"]) == (False, [])


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_select_act_undo_and_restore_in_a_browser(site: Site, make: Make, width: int):
    account = await make.account()
    for number in range(4):
        await kept(site, account, name=f"cup {number}.jpg")
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/library")
        boxes = page.locator(".library-item input[name=id]")
        await boxes.nth(0).check(force=True)
        await boxes.nth(2).evaluate("(box) => box.scrollIntoView({ block: 'center' })")
        await boxes.nth(2).click(modifiers=["Shift"], force=True)
        await expect(page.locator("[data-selected-count]")).to_have_text("3 selected")
        assert await judge(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.keyboard.press("Escape")
        await expect(page.locator("[data-selected-count]")).to_have_text("0 selected")
        await page.keyboard.press("Control+a")
        await page.keyboard.press("Delete")
        await expect(page.get_by_text("4 pictures moved to the trash")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".library-item")).to_have_count(4)

        tile = page.locator(".library-item").first
        narrow = (await tile.bounding_box() or {})["width"]
        await page.locator("[data-size-slider]").fill("20")
        assert (await tile.bounding_box() or {})["width"] > narrow
        await page.reload()
        assert (await tile.bounding_box() or {})["width"] > narrow, "the browser keeps the size"

        body = await page.query_selector("main")
        data = base64.b64encode(corpus.photograph(400, 300)).decode()
        await page.evaluate(DROP, [body, [("new.jpg", "image/jpeg", data)]])
        await expect(page.locator(".library-item")).to_have_count(5)

        await page.locator(".library-item input[name=id]").first.check(force=True)
        await page.get_by_role("button", name="Delete selected").click()
        await page.get_by_role("link", name="Trash").click()
        assert await judge(page) == []
        await page.locator(".library-item input[name=id]").first.check(force=True)
        await page.get_by_role("button", name="Restore").click()
        await expect(page.get_by_text("1 picture restored")).to_be_visible()
