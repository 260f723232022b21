"""The child's side of isolation: a warm process that forks a restricted child for each call.

The warm process (the zygote) imports a target's module once and starts no library thread, so that a fork is cheap and safe.
Before it receives a byte of the payload a child gives up files (Landlock, no rule), writing (RLIMIT_FSIZE 0), the network
(an empty namespace), its user (root only), new privileges, memory and time beyond its limits.

A target's module must load what it needs from disk while it is imported, codecs of the standard library
too. It may define two hooks: `warm_zygote()`, run once in the zygote, must start no thread; `warm_child()`,
run in an idle child, may.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import os
import resource
import select
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

Report = Callable[[float, str], None]
"""Takes the fraction done (0 to 1) and the current step's name."""

Target = Callable[[dict[str, Any], Report], dict[str, Any]]

HEAD = struct.Struct("!cQ")
"""Header of every message: its kind and its length in bytes."""
STATUS = struct.Struct("!i")

LINUX = sys.platform == "linux"
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
OUT_OF_MEMORY = (
    "out of memory",
    "bad_alloc",
    "failed to allocate",
    "insufficient memory",
    "cannot allocate memory",
    "memory allocation error",
    "error creating thread",
)
FIRST_CHILD_UID = 1_879_048_192
"""Children of root run as this user id plus their pid, so that no two can signal or trace each other."""
NOBODY_UID = 65534

_libc = ctypes.CDLL(None, use_errno=True)


class Reject(Exception):
    """Raised by a target that rejects its payload: a code for programs, a message for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def serve(control: socket.socket) -> None:
    """Fork a child for each call on `control`, until it closes; then kill them all."""
    if LINUX:
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # when the machine runs out of memory, this goes before the database
        _libc.unshare(CLONE_NEWNET)  # needs root; without it Landlock still refuses TCP
    wake_read, wake_write = socket.socketpair()
    wake_read.setblocking(False)
    wake_write.setblocking(False)
    signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _ignore)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    callers: dict[int, socket.socket] = {}  # child's pid -> socket for its exit status
    open_control = True
    while open_control or callers:
        for key, _ in selector.select():
            if key.fileobj is control:
                accepted = _accept(control)
                if accepted is None:
                    open_control = False
                    selector.unregister(control)
                    for pid in callers:
                        os.kill(pid, signal.SIGKILL)
                    continue
                started = _start(*accepted)
                if started is not None:
                    pid, status = started
                    callers[pid] = status
                    selector.register(status, selectors.EVENT_READ, pid)
            elif key.fileobj is wake_read:
                with contextlib.suppress(BlockingIOError):
                    wake_read.recv(4096)
                _reap(callers, selector)
            elif callers.get(key.data) is key.fileobj:  # the caller has closed its end
                os.kill(key.data, signal.SIGKILL)
                selector.unregister(key.fileobj)


def _no_hook() -> None:
    """Default for the hooks of a target's module."""


def _ignore(_number: int, _frame: object) -> None:
    """Replace the default of SIGCHLD, under which nothing is written to the wake-up descriptor."""


def _accept(control: socket.socket) -> tuple[socket.socket, socket.socket, int] | None:
    """Return the next call's data socket, status socket and stderr, or None when the parent is gone."""
    space = socket.CMSG_SPACE(3 * array.array("i").itemsize)
    try:
        byte, ancillary, _, _ = control.recvmsg(1, space)
    except ConnectionError:
        return None
    if not byte:
        return None
    handles = array.array("i")
    for _, _, data in ancillary:
        handles.frombytes(data[: len(data) - len(data) % handles.itemsize])
    data, status, errors = handles
    return socket.socket(fileno=data), socket.socket(fileno=status), errors


def _start(data: socket.socket, status: socket.socket, errors: int) -> tuple[int, socket.socket] | None:
    """Import the target if necessary, and fork the child that runs it."""
    with data:
        try:
            _, head = receive(data)
            call = msgspec.msgpack.decode(head)
            sys.path[:] = call["path"]
            target = _load(call["target"])
        except ConnectionError:  # cancelled before it began
            status.close()
            os.close(errors)
            return None
        pid = os.fork()
        if pid == 0:
            _child(data, errors, target, call)
    os.close(errors)
    status.setblocking(False)
    with contextlib.suppress(OSError):
        status.send(STATUS.pack(pid))
    return pid, status


_warmed: set[str] = set()
"""Modules whose `warm_zygote` has run in this process."""


def _load(name: str) -> Target | str:
    """Return the function `package.module:function`, or the error for the child to report."""
    module, _, function = name.partition(":")
    try:
        target: Target = getattr(importlib.import_module(module), function)
    except BaseException:
        return f"cannot load {name}\n{traceback.format_exc()}"
    if module not in _warmed:  # another target's module may have imported it
        _warmed.add(module)
        getattr(sys.modules[module], "warm_zygote", _no_hook)()
        gc.collect()
        gc.freeze()  # children then leave these pages shared
        if LINUX and len(os.listdir("/proc/self/task")) > 1:
            return f"{module} starts threads when it is imported; a fork would lose them"
    return target


def _reap(callers: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    while callers:
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        status = callers.pop(pid)
        with contextlib.suppress(KeyError):
            selector.unregister(status)
        with contextlib.suppress(OSError):
            status.send(STATUS.pack(code))
        status.close()


def _child(data: socket.socket, errors: int, target: Target | str, call: dict[str, Any]) -> NoReturn:
    """Restrict this process, wait for the payload, run the target, send the result, exit without clean-up."""
    try:
        os.dup2(errors, 2)
        os.dup2(data.detach(), 3)
        os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel = socket.socket(fileno=3)
        _restrict(call)
        _run_target(channel, target, call)
        os._exit(0)
    except BaseException:
        with contextlib.suppress(BaseException):
            traceback.print_exc()
            sys.stderr.flush()
    finally:
        os._exit(1)


def _run_target(channel: socket.socket, target: Target | str, call: dict[str, Any]) -> None:
    def report(fraction: float, step: str) -> None:
        send(channel, b"P", msgspec.msgpack.encode((fraction, step)))

    try:
        if not select.select([channel], [], [], 0)[0]:  # no payload yet: this child is idle
            module, _, _ = call["target"].partition(":")
            getattr(sys.modules.get(module), "warm_child", _no_hook)()
        payload = msgspec.msgpack.decode(receive(channel)[1])
        send(channel, b"B", b"")
        signal.setitimer(signal.ITIMER_REAL, call["seconds"] + 1)  # in case the parent is too busy to enforce it
        if isinstance(target, str):
            send(channel, b"E", msgspec.msgpack.encode(target))
        else:
            send(channel, b"R", msgspec.msgpack.encode(target(payload, report)))
    except Reject as refused:
        send(channel, b"X", msgspec.msgpack.encode((refused.code, refused.message)))
    except BaseException as error:
        out_of_memory = isinstance(error, MemoryError) or any(phrase in str(error).lower() for phrase in OUT_OF_MEMORY)
        detail = f"{type(error).__name__}: {error}" if out_of_memory else traceback.format_exc()
        send(channel, b"M" if out_of_memory else b"E", msgspec.msgpack.encode(detail))


def _restrict(call: dict[str, Any]) -> None:
    """Give up everything except the processor time and memory that the call allows."""
    os.setsid()
    memory = call["memory_mb"] << 20
    if LINUX:
        with open("/proc/self/statm") as file:
            memory += int(file.read().split()[0]) * resource.getpagesize()
    for limit, maximum in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
            resource.setrlimit(limit, (maximum, maximum))
    resource.setrlimit(resource.RLIMIT_CPU, (call["processor_seconds"], call["processor_seconds"] + 1))
    if LINUX:
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _landlock()
    if os.geteuid() == 0:
        # a container may map few users, or deny its root the right to change user
        for user in (FIRST_CHILD_UID + os.getpid(), NOBODY_UID) if LINUX else (NOBODY_UID,):
            with contextlib.suppress(OSError):
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
                break
    if LINUX:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # last: a change of user clears it
        if os.getppid() == 1:
            os._exit(1)


def _landlock() -> None:
    """Deny every file, TCP port and signal to other processes, as far as this kernel supports it."""
    abi = _libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    rules = struct.pack("=QQQ", files, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    handle = _libc.syscall(LANDLOCK_CREATE_RULESET, rules, size, 0)
    if handle >= 0:
        _libc.syscall(LANDLOCK_RESTRICT_SELF, handle, 0)
        os.close(handle)


def send(channel: socket.socket, kind: bytes, body: bytes) -> None:
    """Write one message to a blocking socket."""
    channel.sendall(HEAD.pack(kind, len(body)))
    channel.sendall(body)


def receive(channel: socket.socket) -> tuple[bytes, bytearray]:
    """Read one message from a blocking socket. Raises ConnectionError if it ends."""
    kind, length = HEAD.unpack(_receive_exactly(channel, HEAD.size))
    return kind, _receive_exactly(channel, length)


def _receive_exactly(channel: socket.socket, length: int) -> bytearray:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        count = channel.recv_into(view)
        if not count:
            raise ConnectionError("the other side is gone")
        view = view[count:]
    return buffer
