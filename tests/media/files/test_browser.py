"""The library in a browser with scripts: drop, progress, refusals, confirmation dialog."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.server import Site
from vetrina.demo.photos import path_of

pytestmark = needs_chromium

DROP = """([zone, files]) => {
  const data = new DataTransfer();
  for (const [name, type, text] of files) {
    data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name, { type }));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


@pytest_asyncio.fixture
async def account(make: Make) -> Account:
    return await make.account()


@pytest_asyncio.fixture
async def page(site: Site, account: Account) -> AsyncIterator[Page]:
    """Open a page of a signed-in browser; script errors fail the test."""
    async with browsing(site.url) as context:
        await sign_in(context, site.url, account)
        yield await context.new_page()


async def test_drop_show_and_delete(page: Page, site: Site, account: Account):
    await page.goto("/library")
    drop = await page.query_selector(".drop")
    files = [("cup.jpg", "image/jpeg", corpus.photograph(400, 300)), ("letter.jpg", "image/jpeg", corpus.text())]
    await page.evaluate(DROP, [drop, [(name, kind, base64.b64encode(data).decode()) for name, kind, data in files]])
    refused = page.locator(".upload.is-bad")
    await expect(refused).to_contain_text("letter.jpg")
    await expect(refused).to_contain_text("This is not an image.")
    # the accepted image is in the grid at once and has loaded
    await expect(page.locator(".library-item")).to_have_count(1)
    await expect(page.locator(".storage")).to_contain_text("1 picture")
    loaded = await page.locator(".library-item img").evaluate("async (image) => (await image.decode(), image.currentSrc)")
    assert "/320?" in loaded, "the smallest thumbnail that fits the tile"

    await page.locator("input[type=file]").set_input_files([path_of("cat"), path_of("coffee")])
    await expect(page.locator(".library-item")).to_have_count(3)

    await page.goto("/library")
    await page.locator(".library-item").first.hover()
    await page.get_by_label("Select coffee.jpg").check()
    await page.get_by_label("Select cup.jpg").check()
    await expect(page.locator("[data-selected-count]")).to_have_text("2 selected")
    await page.get_by_role("button", name="Delete selected").click()
    await expect(page.get_by_text("2 pictures moved to the trash")).to_be_visible()
    await expect(page.locator(".library-item")).to_have_count(1)
    async with site.api(account) as api:
        assert [item["file_name"] for item in (await api.get("/files")).json()["items"]] == ["cat.jpg"]


async def test_edit_tags_and_filter(page: Page, site: Site, account: Account):
    await page.goto("/library")
    await page.locator("#upload-category").select_option("model_image")
    await page.locator("input[type=file]").set_input_files([path_of("cat")])
    await page.get_by_role("link", name="cat.jpg").click()
    await page.get_by_label("Tags").fill("Chelsea, tabby")
    await page.get_by_label("Public").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved")).to_be_visible()
    await page.goto("/library")
    await page.get_by_label("Tag", exact=True).select_option("tabby")
    await page.wait_for_url("**/library?*tag=tabby*")
    await expect(page.locator(".library-item")).to_have_count(1)
    async with site.api(account) as api:
        (file,) = (await api.get("/files", params={"category": "model_image"})).json()["items"]
    assert (file["tags"], file["is_public"]) == (["Chelsea", "tabby"], True)
