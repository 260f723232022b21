"""Notifications reach all subscribers of their topic in every process.

Slow or disconnected subscribers are notified to read the state again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest_asyncio

from vetrina.core.database.connection import Database
from vetrina.core.database.pubsub import Hub, Signal

LISTENER_ENDS = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and application_name like '%% listen'
"""


@pytest_asyncio.fixture
async def hub(db: Database) -> AsyncIterator[Hub]:
    created = Hub(db)
    created.start(("generations", "payments"))
    with created.subscribe("generations/warm") as warm:  # listening has started when this arrives
        messages = warm.messages(poll_interval=0.05)
        async with asyncio.timeout(5):
            while await anext(messages) is None:
                await notify(db, '{"id":"warm"}')
    yield created
    await created.stop()


async def notify(db: Database, payload: str, channel: str = "generations") -> None:
    async with db.read() as tx:
        await tx.connection.execute("select pg_notify(%s, %s)", (channel, payload))


async def some(messages: AsyncIterator[dict[str, Any] | None], count: int) -> list[dict[str, Any]]:
    """Return the next `count` messages, ignoring timeouts."""
    result: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        while len(result) < count:
            if (message := await anext(messages)) is not None:
                result.append(message)
    return result


async def test_each_topic_gets_its_messages_in_order(db: Database, hub: Hub) -> None:
    with hub.subscribe("generations/a") as a, hub.subscribe("generations/b") as b, hub.subscribe("generations/a") as twin:
        for step in range(3):
            await notify(db, f'{{"id":"a","progress":{step}}}')
            await notify(db, f'{{"id":"b","progress":{step * 10}}}')
        assert [item["progress"] for item in await some(a.messages(poll_interval=1), 3)] == [0, 1, 2]
        assert [item["progress"] for item in await some(twin.messages(poll_interval=1), 3)] == [0, 1, 2]
        assert [item["progress"] for item in await some(b.messages(poll_interval=1), 3)] == [0, 10, 20]


async def test_a_bare_payload_names_the_row(db: Database, hub: Hub) -> None:
    with hub.subscribe("payments/p") as place:
        await notify(db, "some-account/p", "payments")
        assert await some(place.messages(poll_interval=1), 1) == [{"id": "p"}]


async def test_poll_interval_yields_without_messages(hub: Hub) -> None:
    with hub.subscribe("generations/quiet") as place:
        async with asyncio.timeout(5):
            assert await anext(place.messages(poll_interval=0.01)) is None


async def test_quiet_differs_from_messages_that_were_missed(db: Database, hub: Hub, database: str, server: str) -> None:
    """A page that reads its state again at each quiet moment would load itself every few seconds."""
    with hub.subscribe("generations/quiet") as place:
        async with asyncio.timeout(5):
            assert await anext(place.messages_and_signals(quiet_interval=0.01)) is Signal.QUIET
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(LISTENER_ENDS, (urlsplit(database).path[1:],))
            assert await anext(place.messages_and_signals(quiet_interval=10)) is Signal.RESYNC


async def test_slow_subscriber_receives_a_resync_notice(db: Database, hub: Hub) -> None:
    with hub.subscribe("generations/slow") as place, hub.subscribe("generations/last") as last:
        async with db.read() as tx:
            await tx.connection.execute(
                "select pg_notify('generations', '{\"id\":\"slow\",\"progress\":' || n || '}') from generate_series(1, 500) n"
            )
        await notify(db, '{"id":"last"}')
        await some(last.messages(poll_interval=1), 1)
        seen: list[Any] = []
        async with asyncio.timeout(5):
            messages = place.messages(poll_interval=0.2)
            while not seen or seen[-1] is None or seen[-1]["progress"] < 500:
                seen.append(await anext(messages))
        assert None in seen and len(seen) < 100


async def test_subscribers_reread_the_state_after_a_reconnect(db: Database, hub: Hub, database: str, server: str) -> None:
    with hub.subscribe("generations/x") as place:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(LISTENER_ENDS, (urlsplit(database).path[1:],))
        messages = place.messages(poll_interval=10)
        async with asyncio.timeout(5):
            assert await anext(messages) is None
        await notify(db, '{"id":"x","progress":7}')
        assert await some(messages, 1) == [{"id": "x", "progress": 7}]


async def test_unreadable_notification_does_not_stop_the_listener(db: Database, hub: Hub) -> None:
    with hub.subscribe("generations/y") as place:
        for payload in ("{broken", '{"no":"id"}', ""):
            await notify(db, payload)
        await notify(db, '{"id":"y"}')
        assert await some(place.messages(poll_interval=1), 1) == [{"id": "y"}]


async def test_closed_subscription_is_removed(db: Database, hub: Hub) -> None:
    with hub.subscribe("generations/gone"):
        pass
    assert hub._subscribers == {}  # pyright: ignore[reportPrivateUsage]
