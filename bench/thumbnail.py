"""A 12-megapixel JPEG's thumbnail: the confined child against libvips alone in this process.

    python bench/thumbnail.py [PAIRS]

Runs in interleaved pairs after a warm-up and prints the medians and the median of the paired ratios
(target: at most 1.2). The whole intake (decode, re-encode, three thumbnails) is printed beside it,
as is an empty call, which is what the fence itself costs.
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
from vetrina.media.pixels import webp

SIZE = 320


def empty(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """A target that does nothing."""
    return {}


def alone(data: bytes) -> int:
    """The same work with nothing around it, in a process that has done it before."""
    small = pyvips.Image.thumbnail_buffer(
        data, SIZE, height=SIZE, size="down", output_profile="srgb", fail_on="truncated"
    )
    return len(webp(small))


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1e3


async def main(pairs: int) -> None:
    data = photograph(4000, 3000)
    pyvips.cache_set_max(0)

    async def ours() -> object:
        return await confined("vetrina.media.pixels:thumbnail", {"data": data, "size": SIZE})

    async def theirs() -> object:
        return alone(data)

    async def whole() -> object:
        return await confined("vetrina.media.pixels:intake", {"data": data})

    async def nothing() -> object:
        return await confined("bench.thumbnail:empty", {})

    for work in (ours, theirs, whole, nothing):
        for _ in range(2):
            await work()
    runs = [(await timed(ours), await timed(theirs)) for _ in range(pairs)]
    print(f"12-megapixel JPEG, {len(data) / 1e6:.1f} MB, thumbnail of {SIZE} px, {pairs} pairs")
    print(f"  libvips alone       {statistics.median(b for _, b in runs):7.1f} ms")
    print(f"  confined            {statistics.median(a for a, _ in runs):7.1f} ms")
    print(f"  ratio               {statistics.median(a / b for a, b in runs):7.2f}   (target 1.20)")
    print(f"  an empty call       {statistics.median([await timed(nothing) for _ in range(pairs)]):7.1f} ms")
    print(f"  the whole intake    {statistics.median([await timed(whole) for _ in range(5)]):7.1f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
