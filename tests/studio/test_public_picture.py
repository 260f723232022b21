"""Shared links: what a public picture says about itself, and its page in a browser."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from tests.browser import browsing, judge, needs_chromium
from tests.factories import Account, Make
from tests.server import Site
from tests.studio.helpers import ended, upload, wish
from vetrina.core.services import Services

CARD = "summary_large_image"


async def published(site: Site, account: Account, *, before: bool = False) -> str:
    """A published watercolour of the account; its id. With `before`, the photograph is published too."""
    async with site.api(account) as api, site.browser(account) as browser:
        product = await upload(api)
        answer = await api.post("/generations", json=wish(product))
        generation: str = (await ended(api, answer.json()["id"]))["id"]
        place = f"/studio/generations/{generation}/sharing"
        assert (await browser.post(place, data={"is_public": "true"})).status_code == 303
        if before:
            assert (await browser.post(place, data={"before": product, "before_is_public": "true"})).status_code == 303
    return generation


async def named(site: Site, account: Account, handle: str) -> None:
    async with site.api(account) as api:
        assert (await api.patch("/me/profile", json={"handle": handle, "name": "Ada"})).status_code == 200


def meta(page: httpx2.Response) -> dict[str, str]:
    """The page's meta elements by name or property."""
    return dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]*)">', page.text))


async def test_shared_picture_describes_itself(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    await named(site, account, "ada")
    generation = await published(site, account)
    path = f"/pictures/{account.id}/{generation}"
    page = await site.client.get(path)
    described = meta(page)
    address = site.services.settings.address
    assert described["og:title"] == described["og:image:alt"] == "Watercolour by Ada"
    assert described["og:url"] == address + path and f'rel="canonical" href="{address}{path}"' in page.text
    assert described["og:type"] == "article" and described["description"].startswith("A picture in the style Watercolour")
    assert (described["og:image:width"], described["og:image:height"], described["twitter:card"]) == (
        "1200",
        "630",
        "summary_large_image",
    )
    assert described["og:image"].startswith(address + "/media/")
    card = await site.client.get(described["og:image"].removeprefix(address))
    assert card.status_code == 200 and card.headers["content-type"] == "image/jpeg"
    assert 'href="/@ada"' in page.text and "<time" in page.text
    for path in ("/", "/@ada"):
        assert meta(await site.client.get(path))["og:image"] == described["og:image"], path


async def test_photograph_before_needs_its_makers_publication(site: Site, worker: Services, make: Make) -> None:
    account, other = await make.account(tokens=3), await make.account()
    generation = await published(site, account)
    public, place = f"/pictures/{account.id}/{generation}", f"/studio/generations/{generation}"
    assert "data-compare" not in (await site.client.get(public)).text
    async with site.browser(account) as browser, site.browser(other) as stranger:
        own = await browser.get(place)
        (before,) = set(re.findall(r'name="before" value="([^"]+)"', own.text))
        publication = {"before": before, "before_is_public": "true"}
        assert (await stranger.post(f"{place}/sharing", data=publication)).status_code == 404
        foreign = {**publication, "before": "0190b1f4-5c00-7000-8000-000000000000"}
        assert (await browser.post(f"{place}/sharing", data=foreign)).status_code == 404
        await browser.post(f"{place}/sharing", data=publication)
        page = (await site.client.get(public)).text
        assert "data-compare" in page and before in page
        await browser.post(f"{place}/sharing", data={**publication, "before_is_public": "false"})
        assert "data-compare" not in (await site.client.get(public)).text


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_visitor_compares_copies_and_enlarges(site: Site, worker: Services, make: Make, width: int) -> None:
    account = await make.account(tokens=3)
    await named(site, account, "ada")
    generation = await published(site, account, before=True)
    path = f"/pictures/{account.id}/{generation}"
    options: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "permissions": ["clipboard-read", "clipboard-write"]}
    async with browsing(site.url, **options) as context:
        page = await context.new_page()
        await page.goto(path)
        assert await judge(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        slider = page.get_by_role("slider")
        await slider.focus()
        for _ in range(5):
            await page.keyboard.press("ArrowRight")
        assert await slider.input_value() == "55"
        await page.get_by_role("button", name="Copy link").click()
        await page.get_by_role("button", name="Copied").wait_for()
        assert await page.evaluate("navigator.clipboard.readText()") == site.services.settings.address + path
        await page.get_by_role("link", name="by Ada").click()
        await page.get_by_role("heading", name="Ada").wait_for()
        await page.go_back()
        async with page.expect_navigation() as moved:
            await page.get_by_role("link", name="Larger view", exact=True).click()
        response = await moved.value
        assert response is not None and response.status == 200 and "/original" in page.url


@needs_chromium
async def test_link_can_be_copied_by_hand_without_scripts(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    generation = await published(site, account, before=True)
    async with browsing(site.url, java_script_enabled=False, viewport={"width": 360, "height": 800}) as context:
        page = await context.new_page()
        await page.goto(f"/pictures/{account.id}/{generation}")
        assert (await page.get_by_label("Link to share").input_value()).endswith(generation)
        assert await page.get_by_role("button", name="Copy link").count() == 0
        assert await page.locator("figure", has_text="Before").is_visible()


async def test_sitemap_lists_published_pictures_only(site: Site, worker: Services, make: Make) -> None:
    account = await make.account(tokens=3)
    generation = await published(site, account, before=True)
    address = site.services.settings.address
    index = (await site.client.get("/sitemap.xml")).text
    (page,) = set(re.findall(rf"<loc>{address}(/sitemaps/pictures/[^<]+)</loc>", index))
    assert re.findall(r"<loc>([^<]+)</loc>", (await site.client.get(page)).text) == [
        f"{address}/pictures/{account.id}/{generation}"
    ]
    async with site.browser(account) as browser:
        await browser.post(f"/studio/generations/{generation}/sharing", data={"is_public": "false"})
    assert generation not in (await site.client.get(page)).text
