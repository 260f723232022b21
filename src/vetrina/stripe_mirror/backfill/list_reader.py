"""Reading a whole list: ranges of creation time side by side, split where there is much, kept in order.

A list of Stripe's goes page by page, each behind the last one's end, so one list alone is as slow as its answers. What was
created in other spans of time is another list: whoever is idle takes half of what somebody else has before them.
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
GATHERED = 10
"""Pages that one transaction takes at most."""
AHEAD = 40
"""Pages that wait for a writer at most; readers wait then."""


class Read(msgspec.Struct, frozen=True):
    """A page of a range, which ends with it or goes on."""

    range: Range
    page: Page
    finished: bool


class Progress(msgspec.Struct):
    """Where a sweep stands. `expected` is a guess: what was read, and as dense as that for the time that is left."""

    kind: str
    fetched: int = 0
    expected: float = 0
    changed: int = 0


Keep = Callable[[list[Read]], Awaitable[int]]
"""Keeps pages and how far their ranges are, in one transaction; how many rows changed."""
Tell = Callable[[Progress], None]


class Sweep:
    """One kind's list, from open ranges to their ends."""

    def __init__(
        self,
        services: Services,
        reader: Reader,
        kind: str,
        path: str,
        query: dict[str, str],
        keep: Keep,
        *,
        at_once: int,
        tell: Tell = lambda _: None,
    ) -> None:
        self._services = services
        self._reader = reader
        self._path, self._query = path, query
        self._keep, self._tell = keep, tell
        self._at_once = at_once
        self._open: list[Range] = []
        self._dense: dict[int, float] = {}
        """Of each open range, by its end: objects a second of creation time."""
        self._busy = 0
        self._idle = asyncio.Condition()
        self._queues: list[asyncio.Queue[Read | None]] = [asyncio.Queue(AHEAD // WRITERS) for _ in range(WRITERS)]
        self._left: dict[int, Range] = {}
        self.progress = Progress(kind)

    async def run(self, ranges: list[Range], before: int = 0) -> Progress:
        """Read the ranges to their ends; `before` objects were read earlier.

        Raises whatever a reader or writer raises; what was kept by then is kept.
        """
        self._open = list(ranges)
        self._left = {each.ends_at: each for each in ranges}
        self.progress.fetched = before
        try:
            async with asyncio.TaskGroup() as group:
                writers = [group.create_task(self._write(queue)) for queue in self._queues]
                readers = [group.create_task(self._work()) for _ in range(self._at_once)]
                await asyncio.gather(*readers)
                for queue in self._queues:
                    await queue.put(None)
                await asyncio.gather(*writers)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several
        return self.progress

    async def _work(self) -> None:
        while (mine := await self._next()) is not None:
            try:
                await self._read(mine)
            finally:
                async with self._idle:
                    self._busy -= 1
                    self._idle.notify_all()

    async def _next(self) -> Range | None:
        """An open range, or None when there will be none any more."""
        async with self._idle:
            await self._idle.wait_for(lambda: bool(self._open) or not self._busy)
            if not self._open:
                return None
            self._busy += 1
            return self._open.pop()

    async def _read(self, mine: Range) -> None:
        queue = self._queues[hash(mine.ends_at) % len(self._queues)]  # one writer a range: its pages are kept in order
        more = True
        while more:
            page = await self._reader.page(
                self._path, since=mine.starts_at, until=mine.ends_at, after=mine.last_id, **self._query
            )
            more = page.has_more
            mine = msgspec.structs.replace(
                mine, last_id=page.last_id or mine.last_id, fetched=mine.fetched + len(page.objects)
            )
            self._dense[mine.ends_at] = mine.fetched / max(mine.ends_at - page.oldest, 1)
            self._left[mine.ends_at] = msgspec.structs.replace(mine, ends_at=page.oldest)
            if more and page.oldest - mine.starts_at >= 2:
                mine = await self._share(mine, page.oldest)
            if not more:
                self._left.pop(mine.ends_at, None)
            await queue.put(Read(mine, page, not more))

    async def _share(self, mine: Range, oldest: int) -> Range:
        """Give those who have nothing to do their part of what is left of `mine`, which begins later then."""
        async with self._idle:
            takers = self._at_once - self._busy - len(self._open)
        parts = min(takers + 1, oldest - mine.starts_at)
        if parts < 2:
            return mine
        cuts = [mine.starts_at + (oldest - mine.starts_at) * number // parts for number in range(parts + 1)]
        own = msgspec.structs.replace(mine, starts_at=cuts[-2])
        given = [
            msgspec.structs.replace(mine, starts_at=start, ends_at=end, last_id=None, fetched=0)
            for start, end in zip(cuts[:-2], cuts[1:-1], strict=True)
        ]
        async with self._services.db.tx() as tx:  # before anybody reads them, so that no span is ever without a row
            await tx.do(queries.NARROW, run=own.run, kind=own.kind, ends_at=own.ends_at, starts_at=own.starts_at)
            for each in given:
                await tx.do(queries.OPEN_RANGE, **msgspec.structs.asdict(each))
        self._left |= {each.ends_at: each for each in given}
        self._left[own.ends_at] = msgspec.structs.replace(own, ends_at=oldest)
        async with self._idle:
            self._open += given
            self._idle.notify_all()
        return own

    async def _write(self, queue: asyncio.Queue[Read | None]) -> None:
        more = True
        while more:
            batch: list[Read] = []
            while len(batch) < GATHERED and (not batch or not queue.empty()):
                got = await queue.get()
                if got is None:
                    more = False
                    break
                batch.append(got)
            if batch:
                changed = await self._keep(batch)  # the other writer counts meanwhile
                self.progress.changed += changed
                self.progress.fetched += sum(len(each.page.objects) for each in batch)
                self.progress.expected = self.progress.fetched + self._coming()
                self._tell(self.progress)

    def _coming(self) -> float:
        """What the open ranges may still hold; where nothing was read yet, as much as elsewhere."""
        known = [value for value in self._dense.values() if value]
        usual = sum(known) / len(known) if known else 0.0
        return sum(
            self._dense.get(end, usual) * max(each.ends_at - each.starts_at, 0) for end, each in list(self._left.items())
        )


def progress_rows(batch: list[Read]) -> list[dict[str, object]]:
    """How far each range of a batch is, by its last page."""
    latest = {each.range.ends_at: each for each in batch}
    return [
        {"ends_at": end, "last_id": each.range.last_id, "fetched": each.range.fetched, "finished": each.finished}
        for end, each in latest.items()
    ]
