"""Retries of engines: a call that fails to the end means that the engine is unavailable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from vetrina.clients.engines.base import EngineUnavailable
from vetrina.core import retry
from vetrina.core.retry import Backoff, Passing, Sleep, retry_after

__all__ = ["Backoff", "Passing", "Sleep", "retried", "retry_after"]

T = TypeVar("T")


async def retried(
    call: Callable[[], Awaitable[T]],
    backoff: Backoff,
    waiting: Callable[[str, float], Awaitable[None]] | None = None,
) -> T:
    """Return what `call` returns, as `vetrina.core.retry.retried` does. Raises EngineUnavailable in the end."""
    try:
        return await retry.retried(call, backoff, waiting)
    except Passing as error:
        raise EngineUnavailable(error.message) from error
