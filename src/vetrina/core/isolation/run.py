"""Run a function on untrusted bytes in a process with little memory, little time and nothing else.

`run_isolated("package.module:function", payload)` calls `function(payload, report)` in a child forked from
a warm process (`child.py`), and returns the dict that it returns. The child has no files, no
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

from vetrina.core.isolation.child import OUT_OF_MEMORY, Reject, Report
from vetrina.core.isolation.parent import Child, prefork, start_child, take_idle_child

__all__ = [
    "IsolatedCrashed",
    "IsolatedFailure",
    "IsolatedOutOfMemory",
    "IsolatedRejected",
    "IsolatedTimeout",
    "Limits",
    "Reject",
    "Report",
    "run_isolated",
]

ATTEMPTS = 3
"""An idle child, and then a zygote, may have died meanwhile; a fresh zygote has not."""


@dataclass(frozen=True)
class Limits:
    """Limits of one call."""

    memory_mb: int = 1024
    """Address space in MiB, beyond what the warm process has mapped already."""
    seconds: float = 30
    """Wall clock time from the call to its result; time spent in `report` counts."""
    processor_seconds: int = 60
    """Processor time of all threads together."""


class IsolatedFailure(Exception):
    """The call had no result."""


class IsolatedRejected(IsolatedFailure):
    """The target rejected its payload: `code` for programs, `message` for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class IsolatedTimeout(IsolatedFailure):
    """The limit of wall clock or processor time was exceeded."""


class IsolatedOutOfMemory(IsolatedFailure):
    """The memory limit was exceeded."""


class IsolatedCrashed(IsolatedFailure):
    """The child ended without a result, or the target raised; `detail` is its traceback or error output."""

    def __init__(self, detail: str, *, signal_number: int | None = None, exit_code: int | None = None) -> None:
        ending = f"killed by signal {signal_number}" if signal_number else f"ended with code {exit_code}"
        super().__init__(f"{ending}: {detail.strip() or 'no error output'}")
        self.detail = detail
        self.signal = signal_number
        self.exit_code = exit_code


async def run_isolated(
    target: str,
    payload: dict[str, Any],
    *,
    limits: Limits = Limits(),
    report: Callable[[float, str], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """Call `target` ("package.module:function") with `payload` in a restricted child and return its result.

    Payload and result consist of msgpack's types: numbers, text, bytes, lists, dicts. `report` is awaited
    for each step that the target reports. Raises IsolatedRejected, IsolatedTimeout, IsolatedOutOfMemory
    or IsolatedCrashed. Cancelling kills and reaps the child. The caller limits how many run at once.
    """
    body = msgspec.msgpack.encode(payload)
    head = msgspec.msgpack.encode({"target": target, "path": sys.path, **asdict(limits)})
    clock = asyncio.timeout(limits.seconds)
    try:
        async with clock:
            child, kind, message = await _exchange(head, body, limits, report)
    except TimeoutError:
        if clock.expired():
            raise IsolatedTimeout(f"{target} took longer than {limits.seconds:g} s") from None
        raise  # of the report callback
    prefork(head)
    return _result_or_failure(target, kind, message, child)


async def _exchange(
    head: bytes, body: bytes, limits: Limits, report: Callable[[float, str], Awaitable[None]] | None
) -> tuple[Child, bytes, bytes | bytearray]:
    """Let a child process the payload. One that dies before it has the payload is replaced."""
    attempts = 0
    while True:
        child = take_idle_child(head) or await start_child(head)
        try:
            kind, message = await child.run(body, limits.memory_mb << 20, report)
        finally:
            await child.end()
        attempts += 1
        if child.started or attempts == ATTEMPTS:
            return child, kind, message


def _result_or_failure(target: str, kind: bytes, message: bytes | bytearray, child: Child) -> dict[str, Any]:
    """Return the child's result, or raise the failure that its message or its exit status means."""
    try:
        if kind == b"R":
            return msgspec.msgpack.decode(message, type=dict[str, Any])
        if kind == b"X":
            raise IsolatedRejected(*msgspec.msgpack.decode(message, type=tuple[str, str]))
        if kind == b"M":
            raise IsolatedOutOfMemory(f"{target}: {msgspec.msgpack.decode(message, type=str)}")
        if kind == b"E":
            raise IsolatedCrashed(msgspec.msgpack.decode(message, type=str), exit_code=0)
    except msgspec.DecodeError as error:
        raise IsolatedCrashed(f"{target} sent a malformed message: {error}", exit_code=0) from None
    detail, code = child.error_output, child.exit_status
    if code is None:
        raise IsolatedCrashed(f"{target}: its warm process ended\n{detail}", signal_number=signal.SIGKILL)
    exit_code = os.waitstatus_to_exitcode(code)
    if -exit_code in (signal.SIGXCPU, signal.SIGALRM):
        raise IsolatedTimeout(f"{target} used up its time ({signal.Signals(-exit_code).name})")
    if any(sign in detail.lower() for sign in OUT_OF_MEMORY):
        raise IsolatedOutOfMemory(f"{target}: {detail.strip()[-500:]}")
    if exit_code < 0:
        raise IsolatedCrashed(detail, signal_number=-exit_code)
    raise IsolatedCrashed(detail, exit_code=exit_code)
