"""Pages that the operator writes: safe HTML, per language, audited, linked where they are written."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser

import pytest

from tests.browser import browsing, judge, needs_chromium, sign_in
from tests.factories import Account, Make
from tests.server import Site
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.site_pages.markdown import to_html

TERMS = "# What we promise\n\nWe make **pictures**.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"


class Elements(HTMLParser):
    """The elements of a piece of HTML with their attributes, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))


async def operator_of(make: Make) -> Account:
    account = await make.account()
    async with make.services.db.tx() as tx:
        await roles.grant(tx, account.id, Role.ADMIN)
    return account


async def write(site: Site, account: Account, page: str, body: str, language: str = "en") -> None:
    async with site.browser(account) as browser:
        answer = await browser.post(f"/operator/pages/{page}/{language}", data={"body": body, "action": "save"})
        assert answer.status_code == 303, answer.text[:300]


async def footer_has(site: Site, text: str, *, present: bool = True) -> None:
    """Wait until the process has read the change."""
    async with asyncio.timeout(5):
        while (text in (await site.client.get("/sign-in")).text) is not present:
            await asyncio.sleep(0.02)


async def test_written_page_is_linked_and_an_empty_one_is_missing(site: Site, make: Make) -> None:
    account = await operator_of(make)
    for name in ("terms", "privacy", "refunds", "imprint", "contact"):
        assert (await site.client.get(f"/{name}")).status_code == 404
    assert 'href="/terms"' not in (await site.client.get("/sign-in")).text
    await write(site, account, "terms", TERMS)
    page = (await site.client.get("/terms")).text
    assert "<h2>What we promise</h2>" in page and "<strong>pictures</strong>" in page and "<td>2</td>" in page
    assert page.count("<h1") == 1
    await footer_has(site, 'href="/terms"')
    assert "/terms</loc>" in (await site.client.get("/sitemaps/pages.xml")).text
    await write(site, account, "terms", "  \n ")
    assert (await site.client.get("/terms")).status_code == 404
    await footer_has(site, 'href="/terms"', present=False)


async def test_page_comes_in_the_readers_language(site: Site, make: Make) -> None:
    account = await operator_of(make)
    await write(site, account, "imprint", "Persian text: متن فارسی", "fa")
    assert "متن فارسی" in (await site.client.get("/imprint")).text, "another language is better than none"
    await write(site, account, "imprint", "English text")
    page = await site.client.get("/imprint", headers={"Accept-Language": "fa-IR, en;q=0.5"})
    assert "متن فارسی" in page.text and 'lang="fa" dir="rtl"' in page.text and page.headers["vary"].startswith("Accept-Language")
    assert "English text" in (await site.client.get("/imprint?lang=en", headers={"Accept-Language": "fa"})).text
    assert "English text" in (await site.client.get("/imprint?lang=xx")).text
    assert 'hreflang="fa"' in (await site.client.get("/imprint")).text


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "![x](https://evil.example/pixel.png)",
        "<javascript:alert(1)>",
        '[x](https://example.com "onmouseover=alert(1)")',
        "`<script>`",
    ],
)
def test_markdown_leaves_no_script_and_no_image(source: str) -> None:
    parsed = Elements(to_html(source))
    assert {"script", "img"}.isdisjoint(tag for tag, _ in parsed.elements)
    attributes = [attribute for _, given in parsed.elements for attribute in given]
    assert {name for name, _ in attributes} <= {"href", "title"}
    assert all((value or "").startswith("https://") for name, value in attributes if name == "href")


async def test_changes_are_in_the_audit_log_and_visitors_cannot_make_them(site: Site, make: Make) -> None:
    account, visitor = await operator_of(make), await make.account()
    await write(site, account, "refunds", "All money back.")
    await write(site, account, "refunds", "All money back.")
    await write(site, account, "refunds", "")
    async with site.services.db.read() as tx:
        rows = await (
            await tx.connection.execute(
                "select action, actor_id, metadata ->> 'characters' from core.audit_logs where resource = 'site_page' order by id"
            )
        ).fetchall()
    assert rows == [("site_page_added", account.id, "15"), ("site_page_removed", account.id, "0")]
    async with site.browser(visitor) as browser:
        assert (await browser.get("/operator/pages")).status_code == 403
        assert (await browser.post("/operator/pages/refunds/en", data={"body": "x"})).status_code == 403
    assert (await site.client.get("/refunds")).status_code == 404


async def test_refused_text_is_not_lost(site: Site, make: Make) -> None:
    async with site.browser(await operator_of(make)) as browser:
        answer = await browser.post("/operator/pages/terms/fa", data={"body": "پ" * 40_001, "action": "save"})
        assert answer.status_code == 422 and "at most 40,000 characters" in answer.text and "پپپ" in answer.text
        assert (await browser.post("/operator/pages/terms/fa", data={"body": "پ" * 40_000})).status_code == 303
        assert (await browser.get("/operator/pages/terms/xx")).status_code == 404
        assert (await browser.get("/operator/pages/nothing/en")).status_code == 404


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_operator_writes_with_a_preview(site: Site, make: Make, width: int) -> None:
    account = await operator_of(make)
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        await sign_in(context, site.url, account)
        page = await context.new_page()
        await page.goto("/operator/pages")
        assert await judge(page) == []
        await page.get_by_role("link", name="Edit Terms of service in English").click()
        await page.get_by_label("Text in Markdown").fill(TERMS)
        await page.get_by_role("button", name="Preview").click()
        await page.get_by_role("heading", name="What we promise").wait_for()
        assert await judge(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert (await site.client.get("/terms")).status_code == 404, "a preview saves nothing"
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("Saved").wait_for()
        await footer_has(site, 'href="/terms"')
        await page.reload()
        await page.get_by_role("contentinfo").get_by_role("link", name="Terms of service").click()
        await page.get_by_role("heading", name="What we promise").wait_for()
        assert await judge(page) == []
