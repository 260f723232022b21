"""A 12-megapixel JPEG's thumbnail: the confined child against libvips alone in this process.

    python bench/thumbnail.py [PAIRS]

Runs in interleaved pairs after a warm-up and prints the medians and the median of the paired ratios
(target: at most 1.2). Beside it, the whole intake (decode, re-encode, three thumbnails) in the child
and in this process, and an empty call, which is what the fence itself costs. Run it on a quiet machine:
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

from tests.media.corpus import photograph
from vetrina.core.confine import Report, confined
from vetrina.media import pixels

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
    ours: Callable[[], Awaitable[object]], theirs: Callable[[], Awaitable[object]], pairs: int
) -> tuple[float, float, float]:
    """Medians of both, in milliseconds, and of the ratio within a pair; which comes first alternates."""
    runs: list[tuple[float, float]] = []
    for number in range(pairs + 3):
        if number % 2:
            first, second = await timed(ours), await timed(theirs)
        else:
            second, first = await timed(theirs), await timed(ours)
        runs.append((first, second))
    kept = runs[3:]  # the first ones warm up
    mine, other = (statistics.median(each) for each in zip(*kept, strict=True))
    return mine, other, statistics.median(a / b for a, b in kept)


async def main(pairs: int) -> None:
    data = photograph(4000, 3000)
    pyvips.cache_set_max(0)

    async def confined_thumbnail() -> object:
        return await confined("vetrina.media.pixels:thumbnail", {"data": data, "size": SIZE})

    async def plain_thumbnail() -> object:
        """The same work with nothing around it, in a process that has done it before."""
        small = pyvips.Image.thumbnail_buffer(data, SIZE, height=SIZE, size="down", fail_on="truncated")
        return pixels.webp(small)

    async def confined_intake() -> object:
        return await confined("vetrina.media.pixels:intake", {"data": data})

    async def plain_intake() -> object:
        return pixels.intake({"data": data}, no_report)

    async def nothing() -> object:
        return await confined("bench.thumbnail:empty", {})

    print(f"12-megapixel JPEG of {len(data) / 1e6:.1f} MB, medians of {pairs} pairs, ms")
    print(f"{'':28}{'confined':>10}{'alone':>10}{'ratio':>8}")
    mine, other, ratio = await paired(confined_thumbnail, plain_thumbnail, pairs)
    verdict = "met" if ratio <= TARGET else "MISSED"
    print(f"{f'thumbnail of {SIZE} px':28}{mine:10.1f}{other:10.1f}{ratio:8.2f}  target {TARGET}: {verdict}")
    mine, other, ratio = await paired(confined_intake, plain_intake, max(pairs // 4, 5))
    print(f"{'whole intake':28}{mine:10.1f}{other:10.1f}{ratio:8.2f}")
    await nothing()
    print(f"{'empty call':28}{statistics.median([await timed(nothing) for _ in range(pairs)]):10.1f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 31))
