"""Conversations for tests, over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.factories import Account
from tests.server import Site
from vetrina.core.database.connection import Database


async def started(site: Site, account: Account, *others: Account, **fields: Any) -> str:
    """Start a conversation and return its path below /api/v1."""
    body = {"account_ids": [str(other.id) for other in others], **fields}
    async with site.api(account) as client:
        answer = await client.post("/conversations", json=body)
    assert answer.status_code == 201, answer.text
    return f"/conversations/{answer.json()['id']}"


async def befriended(site: Site, account: Account, *others: Account) -> None:
    """Have `account` follow the others, so that they need not ask to write to it, and they it."""
    for one, two in [*((account, other) for other in others), *((other, account) for other in others)]:
        async with site.api(one) as client:
            assert (await client.put(f"/following/{two.id}")).status_code == 200


async def send(
    site: Site, account: Account, path: str, body: str = "Hello", key: str | None = None, **fields: Any
) -> dict[str, Any]:
    """Send a message and return it."""
    async with site.api(account) as client:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await client.post(f"{path}/messages", json={"body": body, **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def read(site: Site, account: Account, path: str, **query: Any) -> Any:
    """Return what an account reads at a path."""
    async with site.api(account) as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@asynccontextmanager
async def stream(client: httpx2.AsyncClient, path: str, **arguments: Any) -> AsyncIterator[AsyncIterator[tuple[str, str, Any]]]:
    """Yield the events of a stream: name, id, data."""
    async with client.stream("GET", path, **arguments) as answer:
        assert answer.status_code == 200
        yield events(answer)


async def events(answer: httpx2.Response) -> AsyncIterator[tuple[str, str, Any]]:
    """Yield the events of an answer as they arrive; comments are left out."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        if line and name:
            fields[name] = value.strip()
        elif not line and "data" in fields:
            yield fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"])
            fields = {}
        elif not line:
            fields = {}


async def wrong_counters(db: Database) -> list[Any]:
    """Return places whose counter differs from the messages it counts, and conversations whose numbers do."""
    async with db.read() as tx:
        rows = await tx.connection.execute("""
            select p.account_id, p.conversation_id, p.unread, messaging.count_unread(p)
              from messaging.participants p where p.status in ('active', 'requested') and p.unread <> messaging.count_unread(p)
            union all
            select c.account_id, c.id, c.last_position, max(m.position)
              from messaging.conversations c left join messaging.messages m on m.conversation_id = c.id
             group by c.id
            having c.last_position <> coalesce(max(m.position), 0) or c.last_change < coalesce(max(m.change), 0)""")
        return await rows.fetchall()
