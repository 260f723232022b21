"""The parent's side of isolation: the zygote and its children, as seen from the calling process."""

from __future__ import annotations

import array
import asyncio
import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable

import msgspec

from vetrina.core.isolation.child import HEAD, STATUS

REAP_SECONDS = 5.0
MAX_IDLE_CHILDREN = 4
"""At most so many idle children; each has about 3 MB of its own."""
MAX_STEP_LENGTH = 200
"""Characters of a step's name; longer ones are truncated."""
SMALL_MESSAGE = 1 << 20
"""Maximum bytes of any message except a result."""


class Child:
    """One child, seen from its caller: a socket for messages, one for its pid and exit status, and its stderr."""

    def __init__(self, data: socket.socket, status: socket.socket, errors: int) -> None:
        self.data, self.status, self.errors = data, status, errors
        self.started = False
        """Whether the child has the payload. If not, it died while idle, and another may replace it."""
        self.answered = False
        self.exit_status: int | None = None
        self.error_output = ""
        self._status_bytes = b""

    async def run(
        self, body: bytes, memory: int, report: Callable[[float, str], Awaitable[None]] | None
    ) -> tuple[bytes, bytes | bytearray]:
        """Send the payload, forward reports, and return the last message, or `b""` if the child ended.

        A result that claims to be larger than the child's `memory` (bytes) is an error.
        """
        loop = asyncio.get_running_loop()
        max_bytes = max(memory, SMALL_MESSAGE)
        try:
            await loop.sock_sendall(self.data, HEAD.pack(b"Q", len(body)))
            await loop.sock_sendall(self.data, body)
            while True:
                kind, length = HEAD.unpack(await self._exactly(HEAD.size))
                if length > (max_bytes if kind == b"R" else SMALL_MESSAGE):
                    return b"E", msgspec.msgpack.encode("the result is larger than the memory limit")
                message = await self._exactly(length)
                if kind == b"B":
                    self.started = True
                elif kind != b"P":
                    self.answered = self.started = True
                    return kind, message
                elif report is not None:
                    fraction, step = msgspec.msgpack.decode(message, type=tuple[float, str])
                    await report(min(max(fraction, 0.0), 1.0), step[:MAX_STEP_LENGTH])
        except (ConnectionError, EOFError):
            await self._wait_for_end(REAP_SECONDS)
            return b"", b""
        except msgspec.DecodeError as error:
            return b"E", msgspec.msgpack.encode(f"a malformed report: {error}")

    async def end(self) -> None:
        """Kill the child if it still runs, and close everything. An unfinished call waits until it is reaped."""
        try:
            self.data.close()
            if not self.answered and self.exit_status is None:
                with contextlib.suppress(OSError):
                    self.status.shutdown(socket.SHUT_WR)  # the zygote then kills the child
                await self._wait_for_end(REAP_SECONDS)
        finally:
            with contextlib.suppress(BlockingIOError):
                self.error_output = os.read(self.errors, 1 << 16).decode(errors="replace")
            self.close()

    def close(self) -> None:
        """Close without waiting. The zygote kills a child whose caller has closed."""
        self.data.close()
        self.status.close()
        os.close(self.errors)

    async def _wait_for_end(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(seconds):
                while part := await loop.sock_recv(self.status, 64):
                    self._status_bytes += part
        if len(self._status_bytes) == 2 * STATUS.size:
            self.exit_status = STATUS.unpack_from(self._status_bytes, STATUS.size)[0]

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
    """The warm process and the socket that passes calls to it."""

    def __init__(self) -> None:
        self.control, child_end = socket.socketpair()
        with child_end:
            handle = child_end.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE_CODE.format(handle=handle)],
                pass_fds=(handle,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # a Ctrl-C in the terminal does not reach it
            )
        self.control.setblocking(False)

    def close(self) -> None:
        self.control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def abandon(self) -> None:
        """Close another process's zygote without ending it, after a fork."""
        self.control.close()
        self.process.returncode = 0


_SERVE_CODE = """
import socket
from vetrina.core.isolation.child import serve
serve(socket.socket(fileno={handle}))
"""
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_MALLOC = (
    # A child's memory is always fresh. Few large pages, held until it ends, save a thousand page
    # faults (4 ms of a thumbnail's 40), and one arena does not reserve 64 MiB for each thread.
    "hugetlb=1",
    "arena_max=1",
    "mmap_threshold=33554432",
    "trim_threshold=268435456",
)
_zygote: _Zygote | None = None
_idle_children: dict[bytes, Child] = {}  # by the head of the call that they were forked for
_lock = threading.Lock()


def _environment() -> dict[str, str]:
    """Return an environment without secrets, in which libraries start few threads."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
        "LANG": "C.UTF-8",
        "VIPS_CONCURRENCY": "2",
        "VIPS_DISC_THRESHOLD": "64g",  # no disk in isolation: everything in memory, which is limited
        "OPENBLAS_NUM_THREADS": "1",  # otherwise numpy starts threads when imported
        "OMP_NUM_THREADS": "1",
        "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{end}" for end in _MALLOC),
    }


async def start_child(head: bytes) -> Child:
    """Let the zygote fork a child, starting the zygote if there is none or it has died."""
    while (child := _start(head)) is None:  # noqa: ASYNC110  # polled
        await asyncio.sleep(0.005)  # hundreds are queued already
    return child


def take_idle_child(head: bytes) -> Child | None:
    """Return the idle child for calls of this kind, if there is one. It may have died meanwhile."""
    return _idle_children.pop(head, None)


def prefork(head: bytes) -> None:
    """Fork a child for the next call of this kind, restricted and warmed: this saves 6 ms."""
    if head not in _idle_children:
        with contextlib.suppress(OSError):
            if (child := _start(head)) is not None:
                _idle_children[head] = child
    while len(_idle_children) > MAX_IDLE_CHILDREN:
        _idle_children.pop(next(iter(_idle_children))).close()


def _start(head: bytes) -> Child | None:
    """Pass the head of a call to the zygote; None if its queue is full."""
    data, child_data = socket.socketpair()
    status, child_status = socket.socketpair()
    errors, child_errors = os.pipe()
    child = Child(data, status, errors)
    sent = False
    try:
        data.setblocking(False)
        status.setblocking(False)
        os.set_blocking(errors, False)
        os.set_blocking(child_errors, False)
        for end in (data, child_data):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        data.send(HEAD.pack(b"H", len(head)) + head)
        handles = array.array("i", [child_data.fileno(), child_status.fileno(), child_errors])
        while not sent:
            zygote = _ensure_zygote()
            try:
                zygote.control.sendmsg([b"c"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
                sent = True
            except BlockingIOError:
                return None
            except (BrokenPipeError, ConnectionResetError):
                _discard(zygote)
        return child
    finally:
        child_data.close()
        child_status.close()
        os.close(child_errors)
        if not sent:
            child.close()


def _ensure_zygote() -> _Zygote:
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
    while _idle_children:
        _idle_children.popitem()[1].close()
    if _zygote is not None:
        _discard(_zygote)


def _abandon_after_fork() -> None:
    global _zygote, _lock
    _lock = threading.Lock()
    while _idle_children:
        _idle_children.popitem()[1].close()
    if _zygote is not None:
        _zygote.abandon()
        _zygote = None


atexit.register(_stop)
os.register_at_fork(after_in_child=_abandon_after_fork)
