"""The studio's tour and its first visit: notes in the page, skipped once and for all; samples; one kind of credit."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site


async def test_tour_is_skipped_without_scripts(site: Site, make: Make) -> None:
    async with site.browser(await make.account(tokens=3)) as browser:
        page = (await browser.get("/studio")).text
        assert page.count("data-tour=") == 4 and "Skip the tour" in page and page.count(" hidden>\n  <p><b>") == 3
        form = {"style": "linocut", "prompt": "Kept", "asset": "token", "then": "tour-3"}
        answer = await browser.post("/studio/draft", data=form, files={"product_upload": ("", b"", "application/octet-stream")})
        assert answer.headers["location"] == "/studio?tour=3#tour-3"
        page = (await browser.get("/studio?tour=3")).text
        assert ">Kept</textarea>" in page and re.search(r'id="tour-3"[^>]*of 4">', page)
        form["then"] = "end-tour"
        answer = await browser.post("/studio/draft", data=form, files={"product_upload": ("", b"", "application/octet-stream")})
        assert answer.headers["location"] == "/studio"
        page = (await browser.get("/studio")).text
        assert "data-tour=" not in page and ">Kept</textarea>" in page
        again = await browser.post("/account/tour", data={"state": "again"})
        assert again.headers["location"] == "/studio" and "data-tour=" in (await browser.get("/studio")).text
        await browser.post("/account/tour", data={"state": "ended"})
        assert "data-tour=" not in (await browser.get("/studio")).text


async def test_one_kind_of_credit_until_another_is_needed(site: Site, make: Make) -> None:
    account = await make.account()  # with the welcome tokens and the plan's conversions
    async with site.browser(account) as browser, site.api(account) as api:
        page = (await browser.get("/studio")).text
        assert re.search(r"data-pay[^>]* hidden", page)
        assert ">Conversions</dt>" in page  # the plan's, which expire first
        packs = (await api.get("/packs")).json()["items"]
        pack = next(pack for pack in packs if pack["asset"] == "token")
        bought = await api.post("/payments", json={"pack_id": pack["id"], "gateway": "sandbox"})
        assert bought.status_code == 201, bought.text
        assert (await browser.post(bought.json()["checkout_url"], data={"outcome": "paid"})).status_code == 303
        page = (await browser.get("/studio")).text
        assert "data-pay" in page and not re.search(r"data-pay[^>]* hidden", page)


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_tour_and_sample_in_a_browser(site: Site, make: Make, width: int) -> None:
    account = await make.account(tokens=3)
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/studio")
        assert await judge(page) == []
        tour = page.locator("[data-tour]:visible")
        await expect(tour).to_have_count(1)
        for number in (2, 3, 4):
            await tour.get_by_role("button", name="Next").click()
            await expect(page.locator(f"#tour-{number}")).to_be_focused()
            await expect(page.locator(f"#tour-{number}")).to_be_in_viewport()
            await expect(tour).to_have_count(1)
        async with page.expect_response("**/account/tour"):
            await tour.get_by_role("button", name="Done").click()
        await expect(page.locator("[data-tour]")).to_have_count(0)
        sample = page.get_by_role("button", name="Chelsea, a cat")
        await sample.click()
        await expect(page.locator("[data-slot=model] [data-chosen] li")).to_have_count(1)
        await expect(page.get_by_role("button", name="Generate")).to_be_enabled()
        async with page.expect_response("**/studio/draft"):
            await page.get_by_label("Describe the picture").fill("A cat")
        await page.reload()
        await expect(page.locator("[data-tour]")).to_have_count(0)
        await expect(page.locator("[data-slot=model] [data-chosen] li")).to_have_count(1)
