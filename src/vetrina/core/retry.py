"""Retries calls to other services a bounded number of times, and says how long to wait between attempts.

A call that may succeed later raises `Passing`; any other exception goes straight through. Delays double from attempt to
attempt, with jitter so that processes do not return at the same moment; a server's own Retry-After is obeyed as long as it
stays within `patience`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

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

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait after attempt number `attempt` (1 is the first), with jitter."""
        return min(self.first * 2 ** min(attempt - 1, 30), self.longest) * random.uniform(0.75, 1.25)  # noqa: S311  # jitter

    def wait(self, attempt: int, retry_after: float | None) -> float:
        """Return the seconds to wait after an attempt; never less than the server `asked` for."""
        delay = self.delay(attempt)
        return delay if retry_after is None else retry_after + delay * 0.1


async def retried(
    call: Callable[[], Awaitable[T]],
    backoff: Backoff,
    waiting: Callable[[str, float], Awaitable[None]] | None = None,
) -> T:
    """Return what `call` returns, called again after each `Passing` until the attempts are used up.

    `waiting` gets the reason and the seconds before each pause. Raises the last `Passing`, or at once one that says so when
    the server asks for more patience than we have.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await call()
        except Passing as error:
            if attempt >= backoff.tries:
                raise
            if error.after is not None and error.after > backoff.patience:
                raise Passing(f"{error.message} It asks us to wait {_plain(error.after)}.", after=error.after) from error
            pause = backoff.wait(attempt, error.after)
            if waiting is not None:
                await waiting(error.message, pause)
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
