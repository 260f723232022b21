"""Concurrent writes are batched; each gets its own result, and an invalid item affects only itself."""

from __future__ import annotations

import asyncio

from vetrina.core.database.batching import Coalescer, Unanswered
from vetrina.core.errors import Unavailable


class Recorder:
    """A `run` that records its batches; negative items are refused, and each batch takes `slow` seconds."""

    def __init__(self, slow: float = 0.01, fault: type[Exception] = ValueError) -> None:
        self.batches: list[list[int]] = []
        self.slow = slow
        self.fault = fault
        self.under_way = self.most = 0

    async def __call__(self, items: list[int]) -> list[str]:
        self.batches.append(items)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.slow)
        self.under_way -= 1
        if any(item < 0 for item in items):
            raise self.fault(f"no {min(items)}")
        return [f"done {item}" for item in items]


def coalescer(run: Recorder, **options: int) -> Coalescer[int, str]:
    return Coalescer(run, order=lambda item: item, **options)


async def test_single_item_is_written_at_once() -> None:
    run = Recorder(slow=0)
    call = coalescer(run)
    assert [await call(1), await call(2)] == ["done 1", "done 2"]
    assert run.batches == [[1], [2]]


async def test_concurrent_items_are_batched_in_order() -> None:
    run = Recorder()
    call = coalescer(run)
    first = asyncio.create_task(call(50))
    await asyncio.sleep(0)
    assert await asyncio.gather(first, *(call(item) for item in (9, 3, 7, 1))) == ["done 50"] + [
        f"done {item}" for item in (9, 3, 7, 1)
    ]
    assert run.batches in ([[50], [1, 3, 7, 9]], [[1, 3, 7, 9, 50]])
    assert call.items == 5 and call.batches == len(run.batches)


async def test_batches_are_no_larger_than_allowed_and_no_more_at_once() -> None:
    run = Recorder(slow=0.001)
    call = coalescer(run, largest=10, at_once=2)
    results = await asyncio.gather(*(call(item) for item in range(100)))
    assert results == [f"done {item}" for item in range(100)]
    assert max(map(len, run.batches)) <= 10 and run.most <= 2
    assert sorted(item for batch in run.batches for item in batch) == list(range(100))


async def test_invalid_item_affects_only_itself() -> None:
    run = Recorder(slow=0.001)
    call = coalescer(run)
    results = await asyncio.gather(*(call(item) for item in (5, 4, -3, 2)), return_exceptions=True)
    assert results[:2] == ["done 5", "done 4"] and results[3] == "done 2"
    assert isinstance(results[2], ValueError) and str(results[2]) == "no -3"


async def test_possibly_committed_batch_is_not_retried() -> None:
    run = Recorder(slow=0.001, fault=Unavailable)
    call = coalescer(run)
    results = await asyncio.gather(*(call(item) for item in (2, -1, 3)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert sorted(item for batch in run.batches for item in batch) == [-1, 2, 3]


async def test_cancelled_caller_does_not_cancel_the_batch() -> None:
    run = Recorder()
    call = coalescer(run)
    tasks = [asyncio.create_task(call(item)) for item in range(5)]
    await asyncio.sleep(0.001)
    tasks[2].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results.pop(2), asyncio.CancelledError)
    assert results == [f"done {item}" for item in (0, 1, 3, 4)]
    assert await call(9) == "done 9"


async def test_missing_result_fails_every_waiting_item() -> None:
    calls = 0

    async def forgetful(items: list[int]) -> list[str]:
        nonlocal calls
        calls += 1
        return ["done"] * (len(items) - 1)

    call: Coalescer[int, str] = Coalescer(forgetful, order=lambda item: item)
    async with asyncio.timeout(5):
        results = await asyncio.gather(*(call(item) for item in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unanswered) for result in results) and calls == 1
