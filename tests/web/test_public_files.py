"""Files for crawlers, password managers, phones and finders of vulnerabilities."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
import pyvips

from tests.factories import Account, Make
from tests.media.processing import bad_files as corpus
from tests.server import Site
from vetrina.core import site_settings
from vetrina.core.web.public import sitemap
from vetrina.media.files import actions as files
from vetrina.web import STATIC

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def locations(text: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(text).iter(f"{NAMESPACE}loc")]


async def sitemap_paths(site: Site, source: str) -> list[str]:
    """Paths that the pages of one source list."""
    address = site.services.settings.address
    pages = locations((await site.client.get("/sitemap.xml")).text)
    paths: list[str] = []
    for page in pages:
        if f"/sitemaps/{source}/" in page:
            answer = await site.client.get(page.removeprefix(address))
            assert answer.headers["content-type"].startswith("application/xml")
            paths += [location.removeprefix(address) for location in locations(answer.text)]
    return paths


async def public_file(site: Site, account: Account, *, is_public: bool = True) -> None:
    prepared = await files.prepare(site.services, account.id, corpus.photograph(64, 48))
    async with site.services.db.tx() as tx:
        await files.insert(tx, account.id, prepared, "product_image", "cup.jpg", is_public=is_public)


async def named(site: Site, account: Account, handle: str) -> None:
    async with site.api(account) as api:
        assert (await api.patch("/me/profile", json={"handle": handle})).status_code == 200


async def test_robots_keep_out_of_what_needs_an_account(site: Site) -> None:
    answer = await site.client.get("/robots.txt")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    for path in ("/api/v1/", "/studio", "/library", "/settings", "/operator", "/wallet", "/account"):
        assert f"Disallow: {path}" in lines
    assert not any(line.startswith(("Disallow: /media", "Disallow: /pictures", "Disallow: /@")) for line in lines)
    assert {"Disallow: /posts", "Allow: /posts/", "Disallow: /feed", "Allow: /feed."} <= set(lines), "posts and feeds are public"
    assert "Disallow: /" not in lines and f"Sitemap: {site.services.settings.address}/sitemap.xml" in lines


async def test_sitemap_lists_public_profiles_only(site: Site, make: Make) -> None:
    public, private, disabled, nameless = [await make.account() for _ in range(4)]
    for account, handle in ((public, "ada"), (private, "bea"), (disabled, "cleo")):
        await named(site, account, handle)
    for account in (public, disabled, nameless):
        await public_file(site, account)
    await public_file(site, private, is_public=False)
    async with site.services.db.tx() as tx:
        await tx.connection.execute("update accounts.accounts set is_active = false where id = %s", (disabled.id,))
    assert await sitemap_paths(site, "profiles") == ["/@ada"]
    assert await sitemap_paths(site, "pictures") == [], "a photograph has no page of its own"


async def test_sitemap_is_paged(site: Site, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "SIZE", 2)
    for number in range(5):
        account = await make.account()
        await named(site, account, f"maker-{number}")
        await public_file(site, account)
    pages = [page for page in locations((await site.client.get("/sitemap.xml")).text) if "/profiles/" in page]
    assert len(pages) == 3
    assert await sitemap_paths(site, "profiles") == [f"/@maker-{number}" for number in range(5)]


async def test_unknown_sitemap_returns_404(site: Site) -> None:
    for path in ("/sitemaps/nothing/x.xml", "/sitemaps/profiles/x.xml", "/sitemaps/profiles"):
        assert (await site.client.get(path)).status_code == 404, path


async def test_password_managers_find_the_form(site: Site, make: Make) -> None:
    answer = await site.client.get("/.well-known/change-password")
    assert answer.status_code == 302 and answer.headers["location"] == "/settings/security#password"
    async with site.browser(await make.account()) as browser:
        assert 'id="password"' in (await browser.get("/settings/security")).text


async def test_security_txt_needs_a_contact(site: Site) -> None:
    assert (await site.client.get("/.well-known/security.txt")).status_code == 404
    for wrong in ("security@example.com", "http://example.com", "mailto:x@y\nExpires: 2000", 7):
        async with site.services.db.tx() as tx:
            with pytest.raises(site_settings.BadValue):
                await site_settings.put(tx, "site.security_contact", wrong)
    async with site.services.db.tx() as tx:
        await site_settings.put(tx, "site.security_contact", "mailto:security@example.com")
    answer = await site.client.get("/.well-known/security.txt")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == "mailto:security@example.com" and fields["Preferred-Languages"] == "en, fa"
    assert fields["Canonical"] == site.services.settings.address + "/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)


async def test_manifest_and_icons_are_served(site: Site) -> None:
    page = (await site.client.get("/sign-in")).text
    (address,) = re.findall(r'<link rel="manifest" href="([^"]+)">', page)
    answer = await site.client.get(address)
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = json.loads(answer.text)
    sizes: dict[str, str] = {}
    for icon in manifest["icons"]:
        data = (await site.client.get(f"{address.rpartition('/')[0]}/{icon['src']}")).content
        image = pyvips.Image.new_from_buffer(data, "")
        assert icon["sizes"] == f"{image.width}x{image.height}" and icon["type"] == "image/png"
        sizes[icon["sizes"]] = icon.get("purpose", "any")
    assert {"192x192", "512x512"} <= set(sizes) and "maskable" in sizes.values()
    moved = await site.client.get("/favicon.ico")
    icon = await site.client.get(moved.headers["location"])
    assert icon.status_code == 200 and icon.content[:4] == b"\0\0\1\0"
    touch = pyvips.Image.new_from_file(str(STATIC / "img" / "apple-touch-icon.png"))
    assert (touch.width, touch.height) == (180, 180)
