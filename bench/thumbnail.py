"""A 12-megapixel JPEG's thumbnail: the isolated child against libvips alone in this process.

    python bench/thumbnail.py [PAIRS]

Runs in interleaved pairs after a warm-up and prints the medians and the median of the paired ratios
(target: at most 1.2). Beside it, the whole intake (decode, re-encode, three thumbnails) in the child
and in this process, and an empty call, which is what the overhead itself costs. Run it on a quiet machine:
the child is another process, so what else wants the processors delays it first.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pyvips

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.report import Line, text
from tests.media.processing.bad_files import photograph
from vetrina.core.isolation.run import Report, run_isolated
from vetrina.media.processing import images as pixels

SIZE = 320
TARGET = 1.2


def empty(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """A target that does nothing."""
    return {}


def no_report(fraction: float, step: str) -> None:
    """A report that nobody hears."""


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1e3


async def paired(
    ours: Callable[[], Awaitable[object]], baseline: Callable[[], Awaitable[object]], pairs: int
) -> tuple[float, float, float]:
    """Medians of both, in milliseconds, and of the ratio within a pair; which comes first alternates."""
    runs: list[tuple[float, float]] = []
    for number in range(pairs + 3):
        if number % 2:
            first, second = await timed(ours), await timed(baseline)
        else:
            second, first = await timed(baseline), await timed(ours)
        runs.append((first, second))
    timings = runs[3:]  # the first ones warm up
    own, other = (statistics.median(values) for values in zip(*timings, strict=True))
    return own, other, statistics.median(a / b for a, b in timings)


async def measure(pairs: int = 31) -> list[Line]:
    """Our thumbnail against the plain one, and what stands beside it."""
    data = photograph(4000, 3000)
    pyvips.cache_set_max(0)

    async def isolated_thumbnail() -> object:
        return await run_isolated("vetrina.media.processing.images:thumbnail", {"data": data, "size": SIZE})

    async def plain_thumbnail() -> object:
        """The same work with nothing around it, in a process that has done it before."""
        small = pyvips.Image.thumbnail_buffer(data, SIZE, height=SIZE, size="down", fail_on="truncated")
        return pixels.encode_thumbnail(small)

    async def isolated_intake() -> object:
        return await run_isolated("vetrina.media.processing.images:intake", {"data": data})

    async def plain_intake() -> object:
        return pixels.intake({"data": data}, no_report)

    async def nothing() -> object:
        return await run_isolated("bench.thumbnail:empty", {})

    own, other, ratio = await paired(isolated_thumbnail, plain_thumbnail, pairs)
    lines = [Line(f"thumbnail of {SIZE} px from 12 megapixels", own, other, "ms", ratio, at_most=TARGET)]
    own, other, ratio = await paired(isolated_intake, plain_intake, max(pairs // 4, 5))
    lines.append(Line("whole intake of 12 megapixels", own, other, "ms", ratio))
    await nothing()
    overhead = statistics.median([await timed(nothing) for _ in range(pairs)])
    return [*lines, Line("an empty call into the isolated process", overhead, None, "ms")]


if __name__ == "__main__":
    print(text(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 31))))
