"""Every page in the reader's language: the cookie, the account, the browser, in this order."""

from __future__ import annotations

import httpx2
import pytest

from tests.browser import browsing, needs_chromium, sign_in
from tests.factories import Make
from tests.server import Site
from vetrina.core.errors import Refusal
from vetrina.web import i18n

PERSIAN = '<html lang="fa" dir="rtl"'
ENGLISH = '<html lang="en" dir="ltr"'


def visitor(site: Site) -> httpx2.AsyncClient:
    """Return a browser without a session."""
    return httpx2.AsyncClient(base_url=site.url)


async def test_browser_names_the_language(site: Site) -> None:
    async with visitor(site) as browser:
        assert ENGLISH in (await browser.get("/sign-in")).text
        page = await browser.get("/sign-in", headers={"Accept-Language": "de, fa;q=0.8, en;q=0.5"})
        assert PERSIAN in page.text and "ورود" in page.text
        assert "Accept-Language" in page.headers["vary"], "a cache keeps the languages apart"
        assert ENGLISH in (await browser.get("/sign-in", headers={"Accept-Language": "de, fr"})).text


async def test_switch_at_the_foot_goes_before_the_account_and_the_account_before_the_browser(site: Site, make: Make) -> None:
    async with site.browser(await make.account()) as browser:
        saved = await browser.post("/account/language", data={"language": "fa"})
        assert saved.status_code == 303
        browser.cookies.delete("language")
        page = (await browser.get("/account")).text
        assert PERSIAN in page and '<option value="fa" lang="fa" selected>' in page, "the account's, without the cookie"
        switched = await browser.post("/language", data={"language": "en", "next": "/account"})
        assert switched.headers["location"] == "/account"
        assert ENGLISH in (await browser.get("/account", headers={"Accept-Language": "fa"})).text
        await browser.post("/account/language", data={"language": ""})
        assert PERSIAN in (await browser.get("/account", headers={"Accept-Language": "fa"})).text, "follows the browser again"


@pytest.mark.parametrize("language", ["xx", "fa-IR", "<script>", "f" * 300])
async def test_unknown_language_is_ignored(site: Site, language: str) -> None:
    async with visitor(site) as browser:
        await browser.post("/language", data={"language": language})
        assert ENGLISH in (await browser.get("/sign-in")).text
        browser.cookies.set("language", "tlh")
        assert ENGLISH in (await browser.get("/sign-in")).text


async def test_refusals_are_in_the_readers_language(site: Site) -> None:
    form = {"email": "nobody@example.com", "password": "not the password"}
    async with visitor(site) as browser:
        browser.headers["Accept-Language"] = "fa"
        refused = await browser.post("/sign-in", data=form)
        assert "نشانی ایمیل، شمارهٔ تلفن یا گذرواژه درست نیست" in refused.text
        assert (await browser.get("/api/v1/me")).json()["detail"] == "نخست وارد شوید."
        browser.headers["Accept-Language"] = "en"
        assert (await browser.get("/api/v1/me")).json()["detail"] == "Sign in first."


def test_refusal_fills_in_its_values_in_every_language() -> None:
    refusal = Refusal("{style} needs a product picture.", values={"style": "Oil painting"})
    assert str(refusal) == refusal.message == "Oil painting needs a product picture."
    with i18n.use("fa"):
        assert refusal.message == "Oil painting تصویری از یک کالا می‌خواهد."
    assert Refusal("Nothing {is} filled in without values.").message == "Nothing {is} filled in without values."


@needs_chromium
async def test_person_switches_to_persian_and_nothing_overflows(site: Site, make: Make) -> None:
    async with browsing(site.url, viewport={"width": 360, "height": 740}) as context:
        await sign_in(context, site.url, await make.account(tokens=20))
        page = await context.new_page()
        await page.goto("/studio")
        await page.get_by_role("button", name="فارسی").click()
        for path in ("/studio", "/library", "/wallet", "/plan", "/payments", "/account", "/settings/security", "/prices", "/"):
            await page.goto(path)
            assert await page.evaluate("document.documentElement.dir") == "rtl", path
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        await page.get_by_role("button", name="English").click()
        assert await page.evaluate("document.documentElement.lang") == "en"
