"""The studio's page in a real browser: how tall it is, what is in view, and its keyboard use."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from tests.studio.helpers import upload

pytestmark = needs_chromium

SHIFTS = """() => new Promise((resolve) => new PerformanceObserver((list, observer) => {
  observer.disconnect();
  resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0));
}).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => resolve(0), 500))"""


async def in_view(page: Page, selector: str) -> bool:
    """Whether the whole element is inside the viewport, and nothing covers its middle."""
    return await page.evaluate(
        """(selector) => {
          const element = document.querySelector(selector), box = element.getBoundingClientRect();
          const top = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
          return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth
            && element.contains(top);
        }""",
        selector,
    )


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 720)])
async def test_generate_is_in_view_and_the_page_is_short(
    site: Site, make: Make, width: int, height: int, *, scripts: bool
) -> None:
    account = await make.account(tokens=20)
    async with site.api(account) as api:
        product = await upload(api)
    options: dict[str, Any] = {"viewport": {"width": width, "height": height}, "java_script_enabled": scripts}
    async with browsing(site.url, **options) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        for path in ("/studio", f"/studio?product={product}", f"/studio?style=studio_composite&product={product}"):
            await page.goto(path)
            tall = await page.evaluate("document.documentElement.scrollHeight")
            assert tall < 1800, (path, tall)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert await in_view(page, "[data-generate]"), path
            assert await in_view(page, "[data-line=cost]"), path
            assert await in_view(page, "[data-line=balance]"), path
            if scripts:
                assert await page.evaluate(SHIFTS) < 0.01, path
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        assert await in_view(page, "[data-generate]"), "the bar is in view at the end of the page, too"


@pytest.mark.parametrize("width", [360, 1280])
async def test_group_and_search_lead_to_a_style_that_shows_its_settings(site: Site, make: Make, width: int) -> None:
    account = await make.account(tokens=20)
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio")
        tiles = page.locator("label.tile:visible")
        knobs = page.locator("[data-knobs]:visible")
        if width == 360:
            await expect(knobs).to_have_count(0)
            await page.get_by_text("Settings", exact=True).click()
        painting = await tiles.count()
        await expect(knobs).to_have_count(1)
        await page.get_by_role("radio", name="Drawing").check()
        await expect(page.get_by_role("radio", name="Pencil")).to_be_visible()
        await expect(page.get_by_role("radio", name="Watercolour")).to_be_hidden()
        await page.get_by_role("radio", name="All", exact=True).check()
        assert await tiles.count() > painting
        search = page.get_by_role("searchbox", name="Search styles")
        await search.fill("stained")
        await expect(tiles).to_have_count(1)
        await expect(page.locator("[data-matches]")).to_have_text("1 styles match")
        await search.press("Enter")  # does not send the form
        assert page.url.endswith("/studio")
        await page.get_by_role("radio", name="Stained glass").check()
        await expect(knobs).to_have_count(1)
        await expect(knobs).to_have_attribute("data-knobs", "stained_glass")
        await expect(page.locator("[data-line=style]")).to_have_text("Stained glass")
        await search.fill("no such thing")
        await expect(tiles).to_have_count(0)


async def test_style_is_chosen_by_keys(site: Site, make: Make) -> None:
    account = await make.account(tokens=20)
    async with browsing(site.url, viewport={"width": 1280, "height": 720}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio")
        await page.locator("input[name=group]:checked").focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("radio", name="Pencil")).to_be_visible()
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Tab")
        await expect(page.locator("input[name=style]:checked")).to_be_focused()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("[data-line=style]")).to_have_text("Oil painting")
        await expect(page.locator("[data-panel] [data-knobs]")).to_have_attribute("data-knobs", "oil")


async def test_without_scripts_the_chosen_style_shows_its_own_settings(site: Site, make: Make) -> None:
    account = await make.account(tokens=20)
    async with browsing(site.url, viewport={"width": 1280, "height": 720}, java_script_enabled=False) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio")
        await page.get_by_role("radio", name="Gouache").check()
        await expect(page.locator("[data-knobs]:visible")).to_have_count(1)
        await expect(page.locator("[data-knobs]:visible")).to_have_attribute("data-knobs", "gouache")
        await page.get_by_role("radio", name="Paper and glass").check()
        await expect(page.get_by_role("radio", name="Mosaic")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_studio_is_accessible(site: Site, make: Make, scheme: str, direction: str) -> None:
    account = await make.account(tokens=20)
    async with site.api(account) as api:
        product = await upload(api)
    async with browsing(site.url, viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto(f"/studio?product={product}")
        await page.evaluate("(direction) => (document.documentElement.dir = direction)", direction)
        await page.get_by_text("Settings", exact=True).click()
        assert await judge(page) == []
        assert await in_view(page, "[data-generate]")
        await page.set_viewport_size({"width": 1280, "height": 720})
        assert await judge(page) == []


async def test_scripts_write_the_digits_of_the_page(site: Site, make: Make) -> None:
    account = await make.account(tokens=1204)
    async with browsing(site.url, viewport={"width": 1280, "height": 720}, locale="fa") as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio")
        await page.locator("input[name=asset][value=token]").check()
        await expect(page.locator("html")).to_have_attribute("lang", "fa")
        await expect(page.locator("[data-line=balance]")).to_have_text("۱٬۲۰۴")
        await expect(page.locator("[data-line=after]")).to_have_text("۱٬۲۰۳")
