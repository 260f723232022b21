"""The near side of `confine`: the zygote and its children, as the process that calls them holds them."""

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
SPARES = 4
"""Children that wait for a call, at most; each holds about 3 MB of its own."""
LONGEST_STEP = 200
"""Characters of a step's name; the rest is cut off."""
SMALL_MESSAGE = 1 << 20
"""The most bytes of any message but a result."""


class Call:
    """One child, seen from its caller: a socket for messages, one for its pid and end, and its stderr."""

    def __init__(self, data: socket.socket, status: socket.socket, errors: int) -> None:
        self.data, self.status, self.errors = data, status, errors
        self.began = False
        """Whether the child has the payload. If not, it died waiting, and another may take its place."""
        self.answered = False
        self.exit_status: int | None = None
        self.last_words = ""
        self._told = b""

    async def converse(
        self, body: bytes, memory: int, report: Callable[[float, str], Awaitable[None]] | None
    ) -> tuple[bytes, bytes | bytearray]:
        """Send the payload, pass reports on, and return the last message, or `b""` if the child ended.

        No result is larger than the child's `memory` (bytes); what claims to be is not believed.
        """
        loop = asyncio.get_running_loop()
        most = max(memory, SMALL_MESSAGE)
        try:
            await loop.sock_sendall(self.data, HEAD.pack(b"Q", len(body)))
            await loop.sock_sendall(self.data, body)
            while True:
                kind, length = HEAD.unpack(await self._exactly(HEAD.size))
                if length > (most if kind == b"R" else SMALL_MESSAGE):
                    return b"E", msgspec.msgpack.encode("the answer is larger than its memory")
                message = await self._exactly(length)
                if kind == b"B":
                    self.began = True
                elif kind != b"P":
                    self.answered = self.began = True
                    return kind, message
                elif report is not None:
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
            self.close()

    def close(self) -> None:
        """Let go without waiting. The zygote kills the child of whoever has let go."""
        self.data.close()
        self.status.close()
        os.close(self.errors)

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
from vetrina.core.isolation.child import serve
serve(socket.socket(fileno={handle}))
"""
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_MALLOC = (
    # A child's memory is always new. Few large pages, kept until it ends, spare it a thousand page
    # faults (4 ms of a thumbnail's 40), and one arena does not reserve 64 MiB for each thread.
    "hugetlb=1",
    "arena_max=1",
    "mmap_threshold=33554432",
    "trim_threshold=268435456",
)
_zygote: _Zygote | None = None
_spares: dict[bytes, Call] = {}  # by what they were forked for
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
        "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{each}" for each in _MALLOC),
    }


async def launch(head: bytes) -> Call:
    """Have the zygote fork a child, starting the zygote if there is none or it has died."""
    while (call := _start(head)) is None:
        await asyncio.sleep(0.005)  # hundreds wait already
    return call


def take_spare(head: bytes) -> Call | None:
    """The child that waits for a call of this kind, if there is one. It may have died meanwhile."""
    return _spares.pop(head, None)


def prepare(head: bytes) -> None:
    """Have a child ready for the next call of this kind, fenced and rehearsed: it saves 6 ms."""
    if head not in _spares:
        with contextlib.suppress(OSError):
            if (call := _start(head)) is not None:
                _spares[head] = call
    while len(_spares) > SPARES:
        _spares.pop(next(iter(_spares))).close()


def _start(head: bytes) -> Call | None:
    """Hand the head of a call to the zygote; None if it has too many to look at."""
    data, far_data = socket.socketpair()
    status, far_status = socket.socketpair()
    errors, far_errors = os.pipe()
    call = Call(data, status, errors)
    sent = False
    try:
        data.setblocking(False)
        status.setblocking(False)
        os.set_blocking(errors, False)
        os.set_blocking(far_errors, False)
        for each in (data, far_data):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        data.send(HEAD.pack(b"H", len(head)) + head)
        handles = array.array("i", [far_data.fileno(), far_status.fileno(), far_errors])
        while not sent:
            zygote = _warm()
            try:
                zygote.control.sendmsg([b"c"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
                sent = True
            except BlockingIOError:
                return None
            except (BrokenPipeError, ConnectionResetError):
                _discard(zygote)
        return call
    finally:
        far_data.close()
        far_status.close()
        os.close(far_errors)
        if not sent:
            call.close()


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
    while _spares:
        _spares.popitem()[1].close()
    if _zygote is not None:
        _discard(_zygote)


def _forget() -> None:
    global _zygote, _lock
    _lock = threading.Lock()
    while _spares:
        _spares.popitem()[1].close()
    if _zygote is not None:
        _zygote.forget()
        _zygote = None


atexit.register(_stop)
os.register_at_fork(after_in_child=_forget)
