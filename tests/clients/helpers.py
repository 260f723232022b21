"""Helpers of the remote engines' tests: recorded pauses and progress, synthetic photographs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pyvips


class Pauses:
    """Records the pauses between attempts and shortens them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


class RecordedProgress:
    """Records the progress."""

    def __init__(self) -> None:
        self.steps: list[tuple[float, str]] = []

    async def __call__(self, fraction: float, step: str) -> None:
        self.steps.append((fraction, step))

    @property
    def words(self) -> str:
        return "\n".join(step for _, step in self.steps)


def photograph(width: int = 900, height: int = 600, suffix: str = ".jpg", shade: int = 90) -> bytes:
    ramp = pyvips.Image.xyz(width, height).cast("float")
    image = (ramp.extract_band(0) * (255 / width)).bandjoin(
        [ramp.extract_band(1) * (255 / height), pyvips.Image.gaussnoise(width, height, mean=shade, sigma=9)]
    )
    return bytes(image.cast("uchar").copy(interpretation="srgb").write_to_buffer(suffix))


async def wait_until(true: Callable[[], bool], seconds: float = 3.0) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
