"""The theme, the API documentation, flash messages, and redirects that stay on this site."""

from __future__ import annotations

import pytest

from tests.browser import browsing, judge, needs_chromium
from tests.factories import Make
from tests.server import Site
from vetrina.core.web.pages import safe_local_path


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/wallet?kind=hold", True),
        ("/", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("/\t/evil.example", False),
        ("/a\r\nSet-Cookie: x=1", False),
        ("wallet", False),
        ("", False),
        (None, False),
    ],
)
def test_redirects_stay_on_this_site(path: str | None, kept: bool) -> None:
    assert safe_local_path(path, "/otherwise") == (path if kept else "/otherwise")


async def test_theme_is_stored_in_a_cookie(site: Site) -> None:
    answer = await site.client.post("/theme", data={"theme": "dark", "next": "/sign-in"})
    assert answer.status_code == 303 and answer.headers["location"] == "/sign-in"
    assert 'data-bs-theme="dark"' in (await site.client.get("/sign-in")).text
    await site.client.post("/theme", data={"theme": "<script>", "next": "//evil.example"})
    page = await site.client.get("/sign-in")
    assert "data-bs-theme" not in page.text and "<script>" not in page.text.replace("<script ", "")


async def test_the_api_describes_itself(site: Site) -> None:
    document = (await site.client.get("/api/docs/openapi.json")).json()
    assert document["openapi"].startswith("3.1") and "/api/v1/wallet" in document["paths"]
    page = await site.client.get("/api/docs")
    assert page.status_code == 200 and "/api/v1/wallet" in page.text


async def test_reference_has_contents_responses_errors_and_a_search(site: Site) -> None:
    page = (await site.client.get("/api/docs")).text
    for tag in ("accounts", "studio", "payments"):
        assert f'href="#part-{tag}"' in page and f'id="part-{tag}"' in page
    assert "items.checkout_url" in page and "There are not enough credits." in page and "Response 201" in page
    matching = (await site.client.get("/api/docs?q=GENERATIONS cancellation")).text
    assert "/api/v1/generations/{generation_id}/cancellation" in matching and "/api/v1/wallet</code>" not in matching
    assert "No results" in (await site.client.get("/api/docs?q=%3Cscript%3Enothing")).text


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
async def test_reference_is_searched_in_a_browser(site: Site, width: int) -> None:
    async with browsing(site.url, viewport={"width": width, "height": 800}) as context:
        page = await context.new_page()
        await page.goto("/api/docs")
        assert await judge(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_label("Search the calls").fill("checkout_url")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="POST /api/v1/payments", exact=True).wait_for()
        assert await page.get_by_role("heading", name="/api/v1/files").count() == 0


async def test_a_flash_is_shown_once(site: Site, make: Make) -> None:
    async with site.browser(await make.account()) as browser:
        await browser.post("/account", data={"name": "Alice"})
        assert "Saved" in (await browser.get("/account")).text
        assert "Saved" not in (await browser.get("/account")).text


async def test_forged_flash_is_ignored(site: Site) -> None:
    for value in ("x", "W10=", "eyJhIjoxfQ==", "WyJiYWQiLCI8c2NyaXB0PiJd", "é", "A" * 3000):
        answer = await site.client.get("/sign-in", headers={b"Cookie": f"vetrina_flash={value}".encode()})
        assert answer.status_code == 200 and "<script>" not in answer.text


async def test_health(site: Site) -> None:
    assert (await site.client.get("/healthz")).json() == {"status": "ok"}
    assert (await site.client.get("/readyz")).json() == {"status": "ready"}
