"""Walking through a provider as a browser does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.fakes.cognito import PASSWORD
from tests.fakes.oidc import HostedUi
from tests.server import Site
from vetrina.core.database.ids import new_id

COOKIE = "vetrina_provider"


def visitor(site: Site) -> httpx2.AsyncClient:
    """A browser that nobody is signed in with."""
    return httpx2.AsyncClient(base_url=site.url, headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"}, timeout=60)


def local(address: str) -> str:
    """The path and query: the settings do not know the port that the tests' site listens on."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def person(hosted: HostedUi, **attributes: str) -> str:
    """Somebody new in the pool; their name there."""
    name = f"p{new_id().hex[-10:]}"
    hosted.pool.user(name, **{"email": f"{name}@example.com", "email_verified": "true", "name": "Ada", **attributes})
    return name


async def at_provider(url: str, user: str, password: str = PASSWORD) -> str:
    """Sign in at the provider's page; where it sends one back to."""
    async with httpx2.AsyncClient(timeout=60) as elsewhere:
        page = await elsewhere.get(url)
        assert page.status_code == 200 and "Sign in" in page.text, page.text
        sent = await elsewhere.post(url.replace("/oauth2/authorize", "/login"), data={"username": user, "password": password})
    assert sent.status_code == 302, sent.text
    return str(sent.headers["location"])


async def begun(browser: httpx2.AsyncClient, user: str, *, password: str = PASSWORD, query: str = "") -> str:
    """The path of the callback that the provider sends the browser to."""
    start = await browser.get(f"/auth/providers/cognito{query}")
    assert start.status_code == 303, start.text
    return local(await at_provider(start.headers["location"], user, password))


async def walk(browser: httpx2.AsyncClient, user: str, **more: Any) -> httpx2.Response:
    """The whole way; the callback's answer."""
    return await browser.get(await begun(browser, user, **more))


async def link(browser: httpx2.AsyncClient, user: str, ask: Callable[[str], Awaitable[None]] | None = None) -> httpx2.Response:
    """Link what `user` signs in with at the provider."""
    page = await browser.post("/settings/identities", data={"provider": "cognito"})
    assert page.status_code == 201 or page.status_code == 200, page.text
    url = page.text.partition('content="0;url=')[2].partition('"')[0].replace("&amp;", "&")
    back = local(await at_provider(url, user))
    if ask:
        await ask(back)
    return await browser.get(back)


async def count(site: Site, table: str) -> int:
    """How many rows a table has."""
    async with site.services.db.read() as tx:
        row = await (await tx.connection.execute(f"select count(*) from {table}".encode())).fetchone()
    return int(row[0]) if row else 0
