"""How many images a process decodes and stores at a time, and whose turn it is.

An account has one decoding turn: its images are decoded one after another, so that one slot is left for all others. Between
accounts the turns go by start-time fair queueing with the pixel count as the price: who has had fewer pixels decoded is next.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from itertools import count
from typing import Self
from uuid import UUID

from vetrina.core.errors import Busy
from vetrina.core.services import Services

AT_ONCE = 2
"""Images that a process decodes at a time; each may use a processor and several hundred megabytes."""
STORED_AT_ONCE = 16
"""Images that a process sends to the storage at a time. They wait in memory, so this bounds it while a bucket hangs."""
SLOT_TIMEOUT = 15.0
"""Seconds that an upload waits for a decoding slot before it is refused."""
PIXELS_PER_SECOND = 25_000_000
"""A cautious estimate of what one slot decodes and encodes, for the time that a refused upload is told to wait."""
LEAST_PRICE = 1_000_000
"""Pixels that every image counts as, for the work around decoding."""


class DecodingBusy(Busy):
    """The server is busy with other pictures. Try again in a moment."""

    def __init__(self, message: str | None = None, *, seconds: int = 2) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(max(1, seconds))}


@dataclass
class _Turns:
    """The images of one account that wait or are decoded."""

    start: float
    """Virtual time of its next turn: the pixels that it has had decoded, not behind those of the others."""
    waiting: deque[tuple[int, int, asyncio.Future[None]]] = field(default_factory=deque[tuple[int, int, asyncio.Future[None]]])
    """Number, price and turn of each waiting image."""
    decoding: bool = False
    pixels: int = 0
    images: int = 0


class DecodeSlots:
    """Turns for decoding and storing images; one instance per process."""

    def __init__(self) -> None:
        self.storing = asyncio.Semaphore(STORED_AT_ONCE)
        self._free = AT_ONCE
        self._accounts: dict[UUID, _Turns] = {}
        self._numbers = count()
        self._virtual_time = 0.0

    @classmethod
    def provide(cls, _: Services) -> Self:
        """Return the turns of this process."""
        return cls()

    @contextlib.asynccontextmanager
    async def hold(self, account: UUID, pixels: int, timeout: float | None) -> AsyncGenerator[None]:
        """Hold a decoding slot for an image of `pixels` pixels. Waits up to `timeout` seconds (None: without limit).

        Raises DecodingBusy (429): at once if the account's images before this one take longer than that.
        """
        price = max(pixels, LEAST_PRICE)
        turns = self._accounts.setdefault(account, _Turns(self._virtual_time))
        before = turns.pixels / PIXELS_PER_SECOND
        if timeout is not None and before > timeout:
            seconds = math.ceil(before - timeout / 2)
            raise DecodingBusy(
                f"{turns.images} of your pictures are still being read. Try again in {seconds} seconds.", seconds=seconds
            )
        turns.pixels += price
        turns.images += 1
        try:
            await self._wait(turns, price, timeout)
            try:
                yield
            finally:
                turns.decoding = False
                self._free += 1
        finally:
            turns.pixels -= price
            turns.images -= 1
            if turns.images == 0:
                self._accounts.pop(account, None)
            self._dispatch()

    async def _wait(self, turns: _Turns, price: int, timeout: float | None) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (next(self._numbers), price, turn)
        turns.waiting.append(entry)
        self._dispatch()
        try:
            async with asyncio.timeout(timeout):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # its turn came at the same moment
                turns.decoding = False
                self._free += 1
            else:
                turns.waiting.remove(entry)
            if isinstance(error, TimeoutError):
                seconds = math.ceil(min(turns.pixels / PIXELS_PER_SECOND, SLOT_TIMEOUT))
                raise DecodingBusy(seconds=seconds) from None
            raise

    def _dispatch(self) -> None:
        """Give free slots to the accounts whose next turn is earliest."""
        while self._free:
            ready = [turns for turns in self._accounts.values() if turns.waiting and not turns.decoding]
            if not ready:
                return
            turns = min(ready, key=lambda turns: (turns.start, turns.waiting[0][0]))
            _, price, turn = turns.waiting.popleft()
            turns.decoding = True
            self._free -= 1
            self._virtual_time = max(self._virtual_time, turns.start)
            turns.start += price
            turn.set_result(None)
