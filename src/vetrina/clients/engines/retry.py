"""Trying again, a bounded number of times, what another server could not do just now.

A call that may succeed later raises `Passing`; anything else it raises goes straight through.
Waits double from try to try, with jitter so that many workers do not return at the same moment;
a server's own Retry-After is obeyed as long as it stays within our patience.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from vetrina.clients.engines.base import EngineUnavailable

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]


class Passing(Exception):
    """A failure that may pass. `message` is for the user; `after` are the seconds the server asked for."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.after = after


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """How often to try and how long to wait between, in seconds."""

    tries: int = 4
    first: float = 1.0
    longest: float = 30.0
    patience: float = 60.0
    sleep: Sleep = asyncio.sleep

    def wait(self, tries_made: int, asked: float | None) -> float:
        """Seconds to wait after `tries_made` tries; never less than the server `asked` for."""
        step = min(self.first * 2 ** (tries_made - 1), self.longest)
        spread = step * random.uniform(0.75, 1.25)
        return spread if asked is None else asked + spread * 0.1


async def retried(
    call: Callable[[], Awaitable[T]],
    backoff: Backoff,
    waiting: Callable[[str, float], Awaitable[None]] | None = None,
) -> T:
    """What `call` returns, called again after each `Passing` until the tries are used up.

    `waiting` hears why and for how many seconds before each pause. Raises EngineUnavailable in the
    end, or at once when the server asks for more patience than we have.
    """
    made = 0
    while True:
        made += 1
        try:
            return await call()
        except Passing as trouble:
            if made >= backoff.tries:
                raise EngineUnavailable(trouble.message) from trouble
            if trouble.after is not None and trouble.after > backoff.patience:
                asks = f"{trouble.message} It asks us to wait {_plain(trouble.after)}."
                raise EngineUnavailable(asks) from trouble
            pause = backoff.wait(made, trouble.after)
            if waiting is not None:
                await waiting(trouble.message, pause)
        await backoff.sleep(pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer's `retry-after-ms` or `Retry-After` (seconds or a date) asks for."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return seconds if seconds >= 0 else None  # NaN fails this too
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _plain(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
