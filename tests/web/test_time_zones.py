"""Times in the reader's zone, with UTC on hover."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from vetrina.core import site_settings
from vetrina.web import formatting, time_zones

AT = datetime(2026, 11, 21, 21, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("UTC", "21 Nov 2026, 21:05 UTC"),
        ("Europe/Berlin", "21 Nov 2026, 22:05 CET"),
        ("Asia/Tehran", "22 Nov 2026, 00:35 UTC+03:30"),
        ("America/St_Johns", "21 Nov 2026, 17:35 NST"),
        ("Pacific/Marquesas", "21 Nov 2026, 11:35 UTC-09:30"),
    ],
)
def test_moment_is_written_in_the_readers_zone(zone: str, local: str) -> None:
    reader = time_zones.named(zone)
    assert reader is not None
    with time_zones.use(reader):
        assert formatting.moment(AT) == local
        assert formatting.moment_utc(AT) == "21 Nov 2026, 21:05 UTC"
        assert formatting.both(AT) == (local if zone == "UTC" else f"{local} (21 Nov 2026, 21:05 UTC)")
    assert formatting.moment(AT).endswith("UTC")


@pytest.mark.parametrize("name", [None, "", "Nowhere/Town", "../../etc/passwd", "/etc/localtime", "Asia/Tehran\n", "UTC;x"])
def test_unknown_zone_is_none(name: str | None) -> None:
    assert time_zones.named(name) is None


async def test_account_chooses_a_zone_and_an_unknown_one_is_refused(site: Site, make: Make) -> None:
    async with site.browser(await make.account()) as browser:
        assert "UTC</time>" in (await browser.get("/account")).text
        browser.cookies.set("time_zone", "Asia/Tehran")
        page = (await browser.get("/account")).text
        assert re.search(r'title="[^"]* UTC" data-exact>[^<]* UTC\+03:30</time>', page), "the browser's"
        assert (await browser.post("/account/time-zone", data={"time_zone": "Asia/Tokyo"})).status_code == 303
        page = (await browser.get("/account")).text
        assert "JST</time>" in page and "<option selected>Asia/Tokyo" in page, "the account's goes first"
        refused = await browser.post("/account/time-zone", data={"time_zone": "Nowhere/Town"})
        assert refused.status_code == 422 and "There is no such time zone" in refused.text
        assert (await browser.post("/account/time-zone", data={"time_zone": ""})).status_code == 303
        assert "UTC+03:30</time>" in (await browser.get("/account")).text


async def test_seller_has_a_zone_for_receipts(site: Site) -> None:
    async with site.services.db.tx() as tx:
        with pytest.raises(site_settings.BadValue):
            await site_settings.put(tx, "payments.seller_time_zone", "Nowhere/Town")
        await site_settings.put(tx, "payments.seller_time_zone", "Asia/Tehran")


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_browser_gives_its_zone(site: Site, make: Make, width: int) -> None:
    account = await make.account()
    async with browsing(site.url, timezone_id="Asia/Tokyo", viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/account")
        exact = page.locator("time[data-exact]")
        assert "GMT+9" in await exact.inner_text(), "written by the script on the first page"
        await page.reload()
        assert "JST" in await exact.inner_text(), "written by the server from then on"
        assert (await exact.get_attribute("title") or "").endswith("UTC")
        await page.get_by_label("Times are shown in").select_option("Europe/Berlin")
        await page.locator("#time-zone").get_by_role("button", name="Save").click()
        await page.wait_for_load_state()
        assert re.search(r"CES?T", await exact.inner_text())


@needs_chromium
async def test_without_scripts_times_are_in_utc_with_its_name(site: Site, make: Make) -> None:
    account = await make.account()
    async with browsing(site.url, timezone_id="Asia/Tokyo", java_script_enabled=False) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        for _ in range(2):
            await page.goto("/account")
            assert (await page.locator("time[data-exact]").inner_text()).endswith("UTC")
