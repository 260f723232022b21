"""NOTIFY fanned out: one listening connection a process, any number of subscribers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog

from vetrina.core.database.connection import Database

log = structlog.get_logger("vetrina.events")
_MISSED: Any = object()
_OVER: Any = object()

Heed = Callable[[dict[str, Any] | None], Awaitable[None]]


class Hub:
    """Hands each notification to those who wait for its topic ("generations/<id>")."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._subscribers: dict[str, set[asyncio.Queue[Any]]] = defaultdict(set)
        self._watchers: dict[str, list[Heed]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None

    def start(self, channels: Iterable[str]) -> None:
        """Begin to listen to these channels, in the background, reconnecting for ever."""
        self._task = asyncio.create_task(self._run(tuple(channels)))

    def end(self) -> None:
        """End every subscription: the process is about to stop, and whoever waits should ask another."""
        for queues in list(self._subscribers.values()):
            for queue in queues:
                _put(queue, _OVER)

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def subscribe(self, topic: str) -> Generator[Subscription]:
        """Notifications on `topic` from now on; subscribe first, then read the state."""
        queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=64)
        self._subscribers[topic].add(queue)
        try:
            yield Subscription(queue)
        finally:
            self._subscribers[topic].discard(queue)
            if not self._subscribers[topic]:
                del self._subscribers[topic]

    def watch(self, channel: str, heed: Heed) -> None:
        """Call `heed` with each message of a channel for as long as the process lives; with None at the beginning and
        whenever some may have been missed, so that it reads the state again."""
        self._watchers[channel].append(heed)

    async def _run(self, channels: tuple[str, ...]) -> None:
        async for channel, payload in self._db.listen(*channels):
            if not channel:
                for heed in [each for watchers in self._watchers.values() for each in watchers]:
                    await _heeded(heed, None)
                for queues in list(self._subscribers.values()):
                    for queue in queues:
                        _put(queue, _MISSED)
                continue
            message = _read(payload)
            for heed in self._watchers.get(channel, ()):
                await _heeded(heed, message)
            for queue in self._subscribers.get(f"{channel}/{message.get('id')}", ()):
                _put(queue, message)


class Subscription:
    """A place in the hub."""

    def __init__(self, queue: asyncio.Queue[Any]) -> None:
        self._queue = queue

    async def messages(self, *, every: float) -> AsyncIterator[dict[str, Any] | None]:
        """Each message; None when something may have been missed, or `every` seconds passed quietly. Until the hub's `end`."""
        while True:
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation that comes with a message.
                async with asyncio.timeout(every):
                    message = await self._queue.get()
            except TimeoutError:
                message = _MISSED
            if message is _OVER:
                return
            yield None if message is _MISSED else message


def _read(payload: str) -> dict[str, Any]:
    """The message in a payload: JSON, or `<account>/<id>`. One that cannot be read must not end the listening."""
    if not payload.startswith("{"):
        return {"id": payload.rpartition("/")[2]}
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        log.warning("a notification cannot be read", payload=payload[:200])
        return {}


async def _heeded(heed: Heed, message: dict[str, Any] | None) -> None:
    try:
        await heed(message)
    except Exception:  # whatever it was, the others are still to be told
        log.warning("a notification was not heeded", exc_info=True)


def _put(queue: asyncio.Queue[Any], message: Any) -> None:
    if queue.full():
        # A slow reader loses steps in between; _MISSED makes it read the state again.
        while not queue.empty():
            queue.get_nowait()
        message = message if message is _OVER else _MISSED
    queue.put_nowait(message)
