"""PostgreSQL notifications distributed in the process: one listening connection, any number of subscribers."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog

from vetrina.core.database.connection import Database

log = structlog.get_logger("vetrina.events")
_CLOSED: Any = object()


class Signal(enum.Enum):
    """What a subscription yields beside messages."""

    RESYNC = "messages may have been missed: read the state again"
    QUIET = "no message has come for a while"


MessageHandler = Callable[[dict[str, Any] | None], Awaitable[None]]


class Hub:
    """Delivers each notification to the subscribers of its topics: "generations/<id>", and "generations@<account id>" for all."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._subscribers: dict[str, set[asyncio.Queue[Any]]] = defaultdict(set)
        self._handlers: dict[str, list[MessageHandler]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None

    def start(self, channels: Iterable[str]) -> None:
        """Listen to these channels in the background, reconnecting on failure."""
        self._task = asyncio.create_task(self._run(tuple(channels)))

    def end(self) -> None:
        """End every subscription: the process is about to stop, and clients should reconnect to another."""
        for queues in list(self._subscribers.values()):
            for queue in queues:
                _put(queue, _CLOSED)

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def subscribe(self, topic: str) -> Generator[Subscription]:
        """Subscribe to notifications on `topic`; subscribe first, then read the state."""
        queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=64)
        self._subscribers[topic].add(queue)
        try:
            yield Subscription(queue)
        finally:
            self._subscribers[topic].discard(queue)
            if not self._subscribers[topic]:
                del self._subscribers[topic]

    def on_message(self, channel: str, handler: MessageHandler) -> None:
        """Call `handler` with each message of a channel for the life of the process.

        It is called with None at the start and whenever messages may have been missed, so that it reads the state again.
        """
        self._handlers[channel].append(handler)

    async def _run(self, channels: tuple[str, ...]) -> None:
        async for channel, payload in self._db.listen(*channels):
            if not channel:
                for handler in [handler for handlers in self._handlers.values() for handler in handlers]:
                    await _call(handler, None)
                for queues in list(self._subscribers.values()):
                    for queue in queues:
                        _put(queue, Signal.RESYNC)
                continue
            message = _parse(payload)
            for handler in self._handlers.get(channel, ()):
                await _call(handler, message)
            for topic in (f"{channel}/{message.get('id')}", f"{channel}@{message.get('account_id')}"):
                for queue in self._subscribers.get(topic, ()):
                    _put(queue, message)


class Subscription:
    """One subscription to the hub."""

    def __init__(self, queue: asyncio.Queue[Any]) -> None:
        self._queue = queue

    async def messages(self, *, poll_interval: float) -> AsyncIterator[dict[str, Any] | None]:
        """Yield each message; None when messages may have been missed, or after `poll_interval` quiet seconds.

        Ends with the hub's `end`.
        """
        async for message in self.messages_and_signals(quiet_interval=poll_interval):
            yield None if isinstance(message, Signal) else message

    async def messages_and_signals(self, *, quiet_interval: float) -> AsyncIterator[dict[str, Any] | Signal]:
        """Yield each message, RESYNC when messages may have been missed, and QUIET after `quiet_interval` seconds without any.

        Ends with the hub's `end`.
        """
        while True:
            try:
                # Not wait_for: before Python 3.12 it may lose a cancellation that arrives together with a message.
                async with asyncio.timeout(quiet_interval):
                    message = await self._queue.get()
            except TimeoutError:
                message = Signal.QUIET
            if message is _CLOSED:
                return
            yield message


def _parse(payload: str) -> dict[str, Any]:
    """Parse a payload: JSON, or `<account>/<id>`. An unreadable payload must not end the listener."""
    if not payload.startswith("{"):
        return {"id": payload.rpartition("/")[2]}
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        log.warning("a notification cannot be read", payload=payload[:200])
        return {}


async def _call(handler: MessageHandler, message: dict[str, Any] | None) -> None:
    try:
        await handler(message)
    except Exception:  # whatever it was, the other subscribers must still get the message
        log.warning("a notification could not be handled", exc_info=True)


def _put(queue: asyncio.Queue[Any], message: Any) -> None:
    if queue.full():
        # A slow reader loses messages; RESYNC makes it read the state again.
        while not queue.empty():
            queue.get_nowait()
        message = message if message is _CLOSED else Signal.RESYNC
    queue.put_nowait(message)
