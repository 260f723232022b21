"""Run a function on untrusted bytes in a process that has little memory, little time and nothing else.

`confined("package.module:function", payload)` calls `function(payload, report)` in a child forked from
a warm process (`confine_child`), and answers with the dict that it returns. The child has no files, no
network and no privileges; its memory and time are limited; when the awaiting task is cancelled it is
killed and reaped. Works under asyncio and uvloop, without threads.
"""

from __future__ import annotations

import array
import asyncio
import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from vetrina.core.confine_child import HEAD, OUT_OF_MEMORY, STATUS, Refuse, Report

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

REAP_SECONDS = 5.0
LONGEST_STEP = 200
SMALL_MESSAGE = 1 << 20
"""The most bytes of any message but a result."""


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
            call, kind, answer = await _attempt(head, body, limits, report)
            if call.never_began:  # the zygote died with this call still in its queue
                call, kind, answer = await _attempt(head, body, limits, report)
    except TimeoutError:
        if clock.expired():
            raise ConfinedTimeout(f"{target} took longer than {limits.seconds:g} s") from None
        raise  # the report's own
    return _judge(target, kind, answer, call)


async def _attempt(
    head: bytes, body: bytes, limits: Limits, report: Callable[[float, str], Awaitable[None]] | None
) -> tuple[_Call, bytes, bytes | bytearray]:
    call = await _launch(head)
    try:
        kind, answer = await call.converse(body, limits, report)
    finally:
        await call.end()
    return call, kind, answer


def _judge(target: str, kind: bytes, answer: bytes | bytearray, call: _Call) -> dict[str, Any]:
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


class _Call:
    """One child, seen from its caller: a socket for messages, one for its pid and end, and its stderr."""

    def __init__(self, data: socket.socket, status: socket.socket, errors: int) -> None:
        self.data, self.status, self.errors = data, status, errors
        self.answered = False
        self.exit_status: int | None = None
        self.last_words = ""
        self._told = b""

    @property
    def never_began(self) -> bool:
        """Whether the zygote went away before it forked."""
        return not self.answered and not self._told

    async def converse(
        self, body: bytes, limits: Limits, report: Callable[[float, str], Awaitable[None]] | None
    ) -> tuple[bytes, bytes | bytearray]:
        """Send the payload, pass reports on, and return the last message, or `b""` if the child ended."""
        loop = asyncio.get_running_loop()
        most = max(limits.memory_mb << 20, SMALL_MESSAGE)
        try:
            await loop.sock_sendall(self.data, HEAD.pack(b"Q", len(body)))
            await loop.sock_sendall(self.data, body)
            while True:
                kind, length = HEAD.unpack(await self._exactly(HEAD.size))
                if length > (most if kind == b"R" else SMALL_MESSAGE):
                    return b"E", msgspec.msgpack.encode("the answer is larger than its memory")
                message = await self._exactly(length)
                if kind != b"P":
                    self.answered = True
                    return kind, message
                if report is not None:
                    fraction, step = msgspec.msgpack.decode(message, type=tuple[float, str])
                    await report(min(max(fraction, 0.0), 1.0), step[:LONGEST_STEP])
        except (ConnectionError, EOFError):
            await self._ended(REAP_SECONDS)
            return b"", b""
        except msgspec.DecodeError as error:
            return b"E", msgspec.msgpack.encode(f"a report that is none: {error}")

    async def end(self) -> None:
        """Kill the child if it still runs, and let go. An unanswered call waits until it is reaped."""
        try:
            self.data.close()
            if not self.answered and self.exit_status is None:
                with contextlib.suppress(OSError):
                    self.status.shutdown(socket.SHUT_WR)  # the zygote kills whom nobody waits for
                await self._ended(REAP_SECONDS)
        finally:
            with contextlib.suppress(BlockingIOError):
                self.last_words = os.read(self.errors, 1 << 16).decode(errors="replace")
            os.close(self.errors)
            self.status.close()

    async def _ended(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(seconds):
                while part := await loop.sock_recv(self.status, 64):
                    self._told += part
        if len(self._told) == 2 * STATUS.size:
            self.exit_status = STATUS.unpack_from(self._told, STATUS.size)[0]

    async def _exactly(self, length: int) -> bytearray:
        loop = asyncio.get_running_loop()
        buffer = bytearray(length)
        view = memoryview(buffer)
        while view:
            count = await loop.sock_recv_into(self.data, view)
            if not count:
                raise EOFError
            view = view[count:]
        return buffer


class _Zygote:
    """The warm process and the socket over which calls are handed to it."""

    def __init__(self) -> None:
        self.control, far = socket.socketpair()
        with far:
            handle = far.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE.format(handle=handle)],
                pass_fds=(handle,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # a Ctrl-C in the terminal is not for it
            )
        self.control.setblocking(False)

    def close(self) -> None:
        self.control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forget(self) -> None:
        """Let go of another process's zygote, after a fork."""
        self.control.close()
        self.process.returncode = 0


_SERVE = """
import socket
from vetrina.core.confine_child import serve
serve(socket.socket(fileno={handle}))
"""
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_zygote: _Zygote | None = None
_lock = threading.Lock()


def _environment() -> dict[str, str]:
    """No secret of ours goes along, and the libraries keep their threads few."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
        "LANG": "C.UTF-8",
        "VIPS_CONCURRENCY": "2",
        "VIPS_DISC_THRESHOLD": "64g",  # there is no disk in the fence: all in memory, which is limited
        "OPENBLAS_NUM_THREADS": "1",  # otherwise numpy starts threads when imported
        "OMP_NUM_THREADS": "1",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # fewer page faults where memory is always new
        "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MiB of the address space that is limited
    }


async def _launch(head: bytes) -> _Call:
    """Hand a call to the zygote, starting it if there is none or it has died."""
    data, far_data = socket.socketpair()
    status, far_status = socket.socketpair()
    errors, far_errors = os.pipe()
    call = _Call(data, status, errors)
    try:
        for each in (data, status):
            each.setblocking(False)
        for handle in (errors, far_errors):
            os.set_blocking(handle, False)
        for each in (data, far_data):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        data.send(HEAD.pack(b"H", len(head)) + head)
        handles = array.array("i", [far_data.fileno(), far_status.fileno(), far_errors])
        while True:
            zygote = _warm()
            try:
                zygote.control.sendmsg([b"c"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
                return call
            except BlockingIOError:  # hundreds wait already
                await asyncio.sleep(0.005)
            except (BrokenPipeError, ConnectionResetError):
                _discard(zygote)
    except BaseException:
        data.close()
        status.close()
        os.close(errors)
        raise
    finally:
        far_data.close()
        far_status.close()
        os.close(far_errors)


def _warm() -> _Zygote:
    global _zygote
    with _lock:
        if _zygote is not None and _zygote.process.poll() is not None:
            _zygote.close()
            _zygote = None
        if _zygote is None:
            _zygote = _Zygote()
        return _zygote


def _discard(zygote: _Zygote) -> None:
    global _zygote
    with _lock:
        if _zygote is zygote:
            zygote.close()
            _zygote = None


def _stop() -> None:
    if _zygote is not None:
        _discard(_zygote)


def _forget() -> None:
    global _zygote, _lock
    _lock = threading.Lock()
    if _zygote is not None:
        _zygote.forget()
        _zygote = None


atexit.register(_stop)
os.register_at_fork(after_in_child=_forget)
