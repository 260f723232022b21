"""Batching of concurrent writes into one statement and one commit.

While a batch is being written, further requests queue; when it returns they are written as the next batch, in one statement,
one round trip and one commit. There is no timer: a single request is written at once. The statement decides each item
separately and returns one result per item.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from vetrina.core.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Unanswered(Exception):
    """A batch's `run` did not return one result per item; the outcome is unknown."""


class Coalescer(Generic[Item, Result]):
    """Batches items for `run`, which takes a list and returns one result per item in the same order.

    `order` sorts a batch so that row locks are always taken in the same order. When `run` raises for a batch of several items,
    nothing of it was committed, and each item is run alone, so that an invalid item affects only itself. `Unavailable` and
    `Unanswered` are not retried: the batch may have been committed.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Awaitable[list[Result]]],
        *,
        order: Callable[[Item], Any],
        largest: int = 128,
        at_once: int = 1,
    ) -> None:
        self._run = run
        self._order = order
        self._largest = largest
        self._free = at_once
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.batches = 0
        self.items = 0

    async def __call__(self, item: Item) -> Result:
        """Return the result for `item`. Raises whatever `run` raises for it alone."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
                batch.sort(key=lambda entry: self._order(entry[0]))
                await self._send(batch)
        finally:
            self._free += 1

    async def _send(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        self.batches += 1
        self.items += len(batch)
        try:
            results = await self._run([item for item, _ in batch])
            if len(results) != len(batch):
                raise Unanswered(f"{len(batch)} items, {len(results)} results")
        except Exception as error:
            if len(batch) == 1 or isinstance(error, Unavailable | Unanswered):
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for entry in batch:
                    await self._send([entry])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
