"""How many images a process decodes and stores at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Self

from vetrina.core.errors import Busy
from vetrina.core.services import Services

AT_ONCE = 2
"""Images that a process decodes at a time; each may use a processor and several hundred megabytes."""
STORED_AT_ONCE = 16
"""Images that a process sends to the storage at a time. They wait in memory, so this bounds it while a bucket hangs."""
SLOT_TIMEOUT = 15.0
"""Seconds that an upload waits for a decoding slot before it is refused."""


class DecodeSlots:
    """Semaphores for decoding and storing images; one instance per process."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self.storing = asyncio.Semaphore(STORED_AT_ONCE)

    @classmethod
    def provide(cls, _: Services) -> Self:
        """Return the semaphores."""
        return cls()

    @contextlib.asynccontextmanager
    async def hold(self, timeout: float | None) -> AsyncGenerator[None]:
        """Hold a decoding slot. Waits up to `timeout` seconds (None: without limit). Raises Busy (429)."""
        try:
            async with asyncio.timeout(timeout):
                await self._free.acquire()
        except TimeoutError:
            raise Busy("The server is busy. Try again in a moment.") from None
        try:
            yield
        finally:
            self._free.release()
