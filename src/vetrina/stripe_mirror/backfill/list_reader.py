"""Concurrent reader of one list: ranges of creation time, read side by side and split on demand, each stored in order.

Stripe's lists are paged by cursor, so a single list is as slow as its responses. Other ranges of creation time are
independent lists: an idle reader takes half of another reader's remaining range.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.client import Page, Reader
from vetrina.stripe_mirror.model import Range

WRITERS = 2
PAGES_PER_TRANSACTION = 10
"""The largest number of pages in a transaction."""
QUEUED_PAGES = 40
"""The largest number of pages waiting for a writer; readers block then."""


class PageRead(msgspec.Struct, frozen=True):
    """A page of a range; `finished` if it is the range's last one."""

    range: Range
    page: Page
    finished: bool


class Progress(msgspec.Struct):
    """The progress of reading a list.

    `expected` is an estimate: objects read, plus the same density for the remaining time.
    """

    kind: str
    fetched: int = 0
    expected: float = 0
    changed: int = 0


StorePages = Callable[[list[PageRead]], Awaitable[int]]
"""Stores pages and the progress of their ranges in one transaction; returns the number of rows changed."""
OnProgress = Callable[[Progress], None]


class ListReader:
    """Reader of one kind's list, from its open ranges to their ends."""

    def __init__(
        self,
        services: Services,
        reader: Reader,
        kind: str,
        path: str,
        query: dict[str, str],
        store: StorePages,
        *,
        at_once: int,
        on_progress: OnProgress = lambda _: None,
    ) -> None:
        self._services = services
        self._reader = reader
        self._path, self._query = path, query
        self._store, self._on_progress = store, on_progress
        self._at_once = at_once
        self._open: list[Range] = []
        self._density: dict[int, float] = {}
        """Objects per second of creation time of each open range, by the range's end."""
        self._busy = 0
        self._idle = asyncio.Condition()
        self._queues: list[asyncio.Queue[PageRead | None]] = [asyncio.Queue(QUEUED_PAGES // WRITERS) for _ in range(WRITERS)]
        self._remaining: dict[int, Range] = {}
        self.progress = Progress(kind)

    async def run(self, ranges: list[Range], before: int = 0) -> Progress:
        """PageRead the ranges to their ends; `before` objects were read earlier.

        Raises the first error of a reader or writer; pages stored before it are kept.
        """
        self._open = list(ranges)
        self._remaining = {item.ends_at: item for item in ranges}
        self.progress.fetched = before
        try:
            async with asyncio.TaskGroup() as group:
                writers = [group.create_task(self._write(queue)) for queue in self._queues]
                readers = [group.create_task(self._work()) for _ in range(self._at_once)]
                await asyncio.gather(*readers)
                for queue in self._queues:
                    await queue.put(None)
                await asyncio.gather(*writers)
        except BaseExceptionGroup as group_error:
            raise group_error.exceptions[0] from group_error
        return self.progress

    async def _work(self) -> None:
        while (current := await self._next()) is not None:
            try:
                await self._read(current)
            finally:
                async with self._idle:
                    self._busy -= 1
                    self._idle.notify_all()

    async def _next(self) -> Range | None:
        """Return an open range, or None if none is left and none can come."""
        async with self._idle:
            await self._idle.wait_for(lambda: bool(self._open) or not self._busy)
            if not self._open:
                return None
            self._busy += 1
            return self._open.pop()

    async def _read(self, current: Range) -> None:
        queue = self._queues[hash(current.ends_at) % len(self._queues)]  # one writer per range keeps its order
        more = True
        while more:
            page = await self._reader.list_page(
                self._path, since=current.starts_at, until=current.ends_at, after=current.last_id, **self._query
            )
            more = page.has_more
            current = msgspec.structs.replace(
                current, last_id=page.last_id or current.last_id, fetched=current.fetched + len(page.objects)
            )
            self._density[current.ends_at] = current.fetched / max(current.ends_at - page.oldest, 1)
            self._remaining[current.ends_at] = msgspec.structs.replace(current, ends_at=page.oldest)
            if more and page.oldest - current.starts_at >= 2:
                current = await self._split(current, page.oldest)
            if not more:
                self._remaining.pop(current.ends_at, None)
            await queue.put(PageRead(current, page, not more))

    async def _split(self, current: Range, oldest: int) -> Range:
        """Give idle readers parts of the remainder of `current`; return `current`, which starts later then."""
        async with self._idle:
            idle_readers = self._at_once - self._busy - len(self._open)
        parts = min(idle_readers + 1, oldest - current.starts_at)
        if parts < 2:
            return current
        cuts = [current.starts_at + (oldest - current.starts_at) * number // parts for number in range(parts + 1)]
        last_part = msgspec.structs.replace(current, starts_at=cuts[-2])
        other_parts = [
            msgspec.structs.replace(current, starts_at=start, ends_at=end, last_id=None, fetched=0)
            for start, end in zip(cuts[:-2], cuts[1:-1], strict=True)  # noqa: RUF007
        ]
        async with self._services.db.tx() as tx:  # stored before they are read, so that every span always has a row
            bounds = {"starts_at": last_part.starts_at, "ends_at": last_part.ends_at}
            await tx.execute(queries.NARROW_RANGE, run=last_part.run, kind=last_part.kind, **bounds)
            for item in other_parts:
                await tx.execute(queries.INSERT_RANGE, **msgspec.structs.asdict(item))
        self._remaining |= {item.ends_at: item for item in other_parts}
        self._remaining[last_part.ends_at] = msgspec.structs.replace(last_part, ends_at=oldest)
        async with self._idle:
            self._open += other_parts
            self._idle.notify_all()
        return last_part

    async def _write(self, queue: asyncio.Queue[PageRead | None]) -> None:
        more = True
        while more:
            batch: list[PageRead] = []
            while len(batch) < PAGES_PER_TRANSACTION and (not batch or not queue.empty()):
                page_read = await queue.get()
                if page_read is None:
                    more = False
                    break
                batch.append(page_read)
            if batch:
                changed = await self._store(batch)  # the other writer counts meanwhile
                self.progress.changed += changed
                self.progress.fetched += sum(len(item.page.objects) for item in batch)
                self.progress.expected = self.progress.fetched + self._estimate_remaining()
                self._on_progress(self.progress)

    def _estimate_remaining(self) -> float:
        """Estimate the objects left in the open ranges; a range without pages gets the average density."""
        densities = [value for value in self._density.values() if value]
        average = sum(densities) / len(densities) if densities else 0.0
        return sum(
            self._density.get(end, average) * max(item.ends_at - item.starts_at, 0) for end, item in list(self._remaining.items())
        )


def progress_rows(batch: list[PageRead]) -> list[dict[str, object]]:
    """Return the progress of each range in a batch, by its last page."""
    latest = {item.range.ends_at: item for item in batch}
    return [
        {"ends_at": end, "last_id": item.range.last_id, "fetched": item.range.fetched, "finished": item.finished}
        for end, item in latest.items()
    ]
