"""Notifications for tests, read over HTTP."""

from __future__ import annotations

from typing import Any

from tests.factories import Account
from tests.server import Site


async def listed(site: Site, account: Account, **query: Any) -> list[dict[str, Any]]:
    """Return an account's notifications."""
    async with site.api(account) as client:
        answer = await client.get("/notifications", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def texts(site: Site, account: Account, **query: Any) -> list[str]:
    """Return the words of an account's notifications."""
    return [item["text"] for item in await listed(site, account, **query)]


async def unread(site: Site, account: Account) -> int:
    """Return the count of unread ones."""
    async with site.api(account) as client:
        return int((await client.get("/notifications/unread")).json()["unread"])
