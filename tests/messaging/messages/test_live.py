"""Live messages across processes: a reader that reconnects misses none and gets none twice."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from tests.factories import Account, Make
from tests.messaging.helpers import befriended, send, started, stream, wrong_counters
from tests.server import Site, serving
from tests.thoroughness import by_profile
from vetrina.core.settings.environment import Settings
from vetrina.messaging.messages import actions
from vetrina.messaging.messages.actions import MessageRequest
from vetrina.modules import connect

DELIVERED_WITHIN = 0.3
"""Seconds from the sender's call to the reader in another process, at the median."""


@pytest_asyncio.fixture
async def other(settings: Settings, database: str) -> AsyncIterator[Site]:
    """Yield the site in another process, with connections and a hub of its own."""
    async with serving(connect(settings, database)) as result:
        yield result


async def follow(site: Site, reader: Account, path: str, last: int, chance: random.Random) -> tuple[list[int], int]:
    """Read a stream up to the change `last`, disconnecting at random; return the changes and the number of connections."""
    changes: list[int] = []
    connections = 0
    async with site.api(reader) as client:
        while not changes or changes[-1] < last:
            connections += 1
            headers = {"Last-Event-ID": str(changes[-1]) if changes else "0"}
            remaining = chance.expovariate(1 / 60)
            async with stream(client, f"{path}/events", headers=headers) as events:
                async for name, number, message in events:
                    assert (name, number) == ("message", str(message["change"]))
                    changes.append(message["change"])
                    remaining -= 1
                    if remaining < 0 or changes[-1] >= last:
                        break
    return changes, connections


async def read_while_sent(site: Site, other: Site, make: Make, number: int) -> None:
    """Send messages from two processes while readers on both reconnect at random."""
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    conversation = UUID(path.rpartition("/")[2])
    chance = random.Random(number)
    readers = [
        asyncio.create_task(follow(place, person, path, number, random.Random(seed)))
        for seed, (place, person) in enumerate(((site, ada), (other, leo), (other, ada)))
    ]
    numbers = iter(range(number))

    async def write(place: Site, person: Account) -> None:
        for n in numbers:
            await actions.send(place.services, person.id, conversation, MessageRequest(f"{n}"))
            if chance.random() < 0.01:
                await asyncio.sleep(chance.uniform(0, 0.05))

    await asyncio.gather(*(write(site, ada) for _ in range(8)), *(write(other, leo) for _ in range(8)))
    async with asyncio.timeout(300):
        for changes, connections in await asyncio.gather(*readers):
            assert changes == list(range(1, number + 1)), "every message once, in order"
            assert connections > number / 200, "it did reconnect"
    assert await wrong_counters(site.services.db) == []


async def test_a_reader_that_reconnects_misses_none(site: Site, other: Site, make: Make) -> None:
    await read_while_sent(site, other, make, by_profile(full=3000, fast=1000))


@pytest.mark.torture
async def test_ten_thousand_messages_with_random_disconnects(site: Site, other: Site, make: Make) -> None:
    await read_while_sent(site, other, make, int(os.environ.get("VETRINA_TORTURE_MESSAGES", "10000")))


async def test_delivery_to_another_process(site: Site, other: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    taken: list[float] = []
    async with other.api(leo) as client, stream(client, "/conversations/events") as events:
        assert (await anext(events))[0] == "resync"
        for number in range(30):
            began = time.perf_counter()
            await send(site, ada, path, f"{number}")
            name, _, data = await anext(events)
            taken.append(time.perf_counter() - began)
            assert (name, data["change"], data["unread"]) == ("conversation", number + 1, 1)
    assert statistics.median(taken) < DELIVERED_WITHIN


async def test_edits_and_deletions_are_streamed_and_end_with_leaving(site: Site, make: Make) -> None:
    ada, leo, sara = [await make.account() for _ in range(3)]
    await befriended(site, ada, leo, sara)
    path = await started(site, ada, leo, sara, is_group=True)
    await send(site, ada, path, "Helo")
    async with site.api(ada) as writer, site.api(leo) as client:
        async with stream(client, f"{path}/events", params={"after": 0}) as events:
            assert (await anext(events))[2]["body"] == "Helo"
            await writer.patch(f"{path}/messages/1", json={"body": "Hello"})
            _, number, message = await anext(events)
            assert (number, message["position"], message["body"]) == ("2", 1, "Hello")
            await writer.delete(f"{path}/messages/1")
            assert (await anext(events))[2]["deleted_at"]
            await client.delete(f"{path}/participation")
            await send(site, ada, path, "Without Leo")
            async with asyncio.timeout(20):
                assert [event async for event in events] == [], "the stream ends"
        assert (await client.get(f"{path}/events")).status_code == 404


async def test_a_stream_without_an_id_begins_with_the_next_message(site: Site, make: Make) -> None:
    ada, leo = await make.account(), await make.account()
    await befriended(site, ada, leo)
    path = await started(site, ada, leo)
    await send(site, ada, path, "Before")
    received: list[Any] = []
    ready = asyncio.Event()

    async def listen(client: httpx2.AsyncClient) -> None:
        async with client.stream("GET", f"{path}/events") as answer:
            async for line in answer.aiter_lines():
                ready.set()
                if line.startswith("data:"):
                    received.append(line)
                    return

    async with site.api(leo) as client:
        task = asyncio.create_task(listen(client))
        await ready.wait()
        await send(site, ada, path, "After")
        await asyncio.wait_for(task, 10)
    assert len(received) == 1 and "After" in received[0]
