"""What the tests of the ways in share: a mailbox to read, limits out of the way, accounts with passwords."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx2

from tests.factories import PASSWORD
from tests.server import Site
from vetrina.core.services import Services


async def unlimited(services: Services, *names: str) -> None:
    """Turn limits off, before the process has read them."""
    async with services.db.tx() as tx:
        await tx.connection.execute(
            "update core.settings set value = jsonb_build_object('count', 0, 'seconds', 60) where key = any(%s)",
            ([f"limits.{name}" for name in names],),
        )


async def letters(site: Site, to: str, count: int = 1) -> list[dict[str, Any]]:
    """The letters to an address or number, the newest first, once there are `count`."""
    for _ in range(400):
        items = (await site.client.get("/api/v1/outbox", params={"to": to})).json()["items"]
        if len(items) >= count:
            return items
        await asyncio.sleep(0.02)
    raise AssertionError(f"there are {len(items)} letters to {to} instead of {count}")


async def settled(services: Services) -> None:
    """Wait until the queue is empty: what was not sent by then is not sent."""
    for _ in range(400):
        async with services.db.read() as tx:
            row = await (
                await tx.connection.execute("select count(*) from procrastinate_jobs where status in ('todo', 'doing')")
            ).fetchone()
        if row == (0,):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the queue does not empty")


async def code_to(site: Site, to: str, count: int = 1) -> str:
    """The code in the newest letter with one to an address or number, once there are `count` letters."""
    texts = [letter["text"] for letter in await letters(site, to, count)]  # a notice may come after the code
    return code_in(next((text for text in texts if re.search(r"\b\d{6}\b", text)), texts[0]))


def code_in(text: str) -> str:
    """The six digits of a letter."""
    match = re.search(r"\b\d{6}\b", text)
    assert match, text
    return match.group()


async def post(site: Site, path: str, body: dict[str, Any], **more: Any) -> httpx2.Response:
    """POST to the API."""
    return await site.client.post(f"/api/v1{path}", json=body, **more)


async def registered(site: Site, **known: str) -> dict[str, Any]:
    """A new account by the API, with the usual password; the answer."""
    answer = await post(site, "/auth/registration", {"password": PASSWORD, **known})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(body: dict[str, Any]) -> dict[str, str]:
    """The header of whoever was just signed in."""
    return {"Authorization": f"Bearer {body['access_token']}"}


def wrong(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06}"
