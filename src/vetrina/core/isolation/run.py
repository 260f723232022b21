"""Run a function on untrusted bytes in a process that has little memory, little time and nothing else.

`confined("package.module:function", payload)` calls `function(payload, report)` in a child forked from
a warm process (`child`), and answers with the dict that it returns. The child has no files, no
network and no privileges; its memory and time are limited; when the awaiting task is cancelled it is
killed and reaped. Works under asyncio and uvloop, without threads.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from vetrina.core.isolation.child import OUT_OF_MEMORY, Refuse, Report
from vetrina.core.isolation.parent import Call, launch, prepare, take_spare

__all__ = [
    "ConfinedCrashed",
    "ConfinedFailure",
    "ConfinedOutOfMemory",
    "ConfinedRefused",
    "ConfinedTimeout",
    "Limits",
    "Refuse",
    "Report",
    "confined",
]

ATTEMPTS = 3
"""A spare child, and then a zygote, may turn out to have died; a fresh zygote does not."""


@dataclass(frozen=True)
class Limits:
    """What one call may use."""

    memory_mb: int = 1024
    """Address space, in MiB, above what the warm process has mapped already."""
    seconds: float = 30
    """Wall clock, from the call to its answer; time spent in `report` counts."""
    processor_seconds: int = 60
    """Processor time, all threads together."""


class ConfinedFailure(Exception):
    """The call gave no result."""


class ConfinedRefused(ConfinedFailure):
    """The target refused its payload: `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ConfinedTimeout(ConfinedFailure):
    """The time allowed, by the clock or of the processor, ran out."""


class ConfinedOutOfMemory(ConfinedFailure):
    """The memory allowed was not enough."""


class ConfinedCrashed(ConfinedFailure):
    """The child ended without an answer, or the target raised; `detail` holds its traceback or last words."""

    def __init__(
        self, detail: str, *, signal_number: int | None = None, exit_code: int | None = None
    ) -> None:
        how = f"killed by signal {signal_number}" if signal_number else f"ended with code {exit_code}"
        super().__init__(f"{how}: {detail.strip() or 'no word why'}")
        self.detail = detail
        self.signal = signal_number
        self.exit_code = exit_code


async def confined(
    target: str,
    payload: dict[str, Any],
    *,
    limits: Limits = Limits(),
    report: Callable[[float, str], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """Call `target` ("package.module:function") with `payload` in a fenced child and return its answer.

    Payload and answer hold what msgpack can: numbers, text, bytes, lists, dicts. `report` is awaited
    for each step that the target reports. Raises ConfinedRefused, ConfinedTimeout, ConfinedOutOfMemory
    or ConfinedCrashed. Cancelling kills and reaps the child. How many run at once is the caller's affair.
    """
    body = msgspec.msgpack.encode(payload)
    head = msgspec.msgpack.encode({"target": target, "path": sys.path, **asdict(limits)})
    clock = asyncio.timeout(limits.seconds)
    try:
        async with clock:
            call, kind, answer = await _exchange(head, body, limits, report)
    except TimeoutError:
        if clock.expired():
            raise ConfinedTimeout(f"{target} took longer than {limits.seconds:g} s") from None
        raise  # the report's own
    prepare(head)
    return _judge(target, kind, answer, call)


async def _exchange(
    head: bytes, body: bytes, limits: Limits, report: Callable[[float, str], Awaitable[None]] | None
) -> tuple[Call, bytes, bytes | bytearray]:
    """Have a child take the payload and answer. One that dies before it has the payload is replaced."""
    attempts = 0
    while True:
        call = take_spare(head) or await launch(head)
        try:
            kind, answer = await call.converse(body, limits.memory_mb << 20, report)
        finally:
            await call.end()
        attempts += 1
        if call.began or attempts == ATTEMPTS:
            return call, kind, answer


def _judge(target: str, kind: bytes, answer: bytes | bytearray, call: Call) -> dict[str, Any]:
    """The result that the child sent, or the failure that its message or its end amounts to."""
    try:
        if kind == b"R":
            return msgspec.msgpack.decode(answer, type=dict[str, Any])
        if kind == b"X":
            raise ConfinedRefused(*msgspec.msgpack.decode(answer, type=tuple[str, str]))
        if kind == b"M":
            raise ConfinedOutOfMemory(f"{target}: {msgspec.msgpack.decode(answer, type=str)}")
        if kind == b"E":
            raise ConfinedCrashed(msgspec.msgpack.decode(answer, type=str), exit_code=0)
    except msgspec.DecodeError as error:
        raise ConfinedCrashed(f"{target} answered nonsense: {error}", exit_code=0) from None
    detail, code = call.last_words, call.exit_status
    if code is None:
        raise ConfinedCrashed(f"{target}: its warm process ended\n{detail}", signal_number=signal.SIGKILL)
    ended = os.waitstatus_to_exitcode(code)
    if -ended in (signal.SIGXCPU, signal.SIGALRM):
        raise ConfinedTimeout(f"{target} used up its time ({signal.Signals(-ended).name})")
    if any(sign in detail.lower() for sign in OUT_OF_MEMORY):
        raise ConfinedOutOfMemory(f"{target}: {detail.strip()[-500:]}")
    if ended < 0:
        raise ConfinedCrashed(detail, signal_number=-ended)
    raise ConfinedCrashed(detail, exit_code=ended)
