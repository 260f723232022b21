"""Targets that the tests run in an isolated child, good and bad."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import time
from typing import Any

from vetrina.core.isolation.child import Reject, Report, send

Payload = dict[str, Any]


_done: list[str] = []


def warm_zygote() -> None:
    _done.append("warm")


def warm_child() -> None:
    _done.append("rehearsed")


def what_was_done(payload: Payload, report: Report) -> Payload:
    return {"done": _done, "pid": os.getpid()}


def echo(payload: Payload, report: Report) -> Payload:
    return payload


def who(payload: Payload, report: Report) -> Payload:
    return {"pid": os.getpid(), "zygote": os.getppid()}


def steps(payload: Payload, report: Report) -> Payload:
    for fraction, step in ((0.0, "Begin"), (0.5, "Middle"), (7.0, "x" * 900)):
        report(fraction, step)
    return {}


def refuse(payload: Payload, report: Report) -> Payload:
    raise Reject("not_today", "This is not taken today.")


def fail(payload: Payload, report: Report) -> Payload:
    return {"never": 1 // payload["zero"]}


def sleep(payload: Payload, report: Report) -> Payload:
    report(0.0, str(os.getpid()))
    time.sleep(payload.get("seconds", 60))
    return {}


def spin(payload: Payload, report: Report) -> Payload:
    while True:
        pass


def take(payload: Payload, report: Report) -> Payload:
    """Touch this many MiB, and say how many bytes are resident."""
    hoard = bytearray(payload["mib"] << 20)
    return {"taken": len(hoard)}


def take_in_c(payload: Payload, report: Report) -> Payload:
    """Run out of memory where a library aborts rather than raises."""
    os.write(2, b"GLib-ERROR **: failed to allocate 160000000 bytes\n")
    os.abort()


def end_by_signal(payload: Payload, report: Report) -> Payload:
    os.write(2, b"last words")
    os.kill(os.getpid(), payload["signal"])
    return {}


def end_by_exit(payload: Payload, report: Report) -> Payload:
    os._exit(payload["code"])


def read_nothing_mapped(payload: Payload, report: Report) -> Payload:
    """A true segmentation fault."""
    ctypes.string_at(8)
    return {}


def hang_deaf(payload: Payload, report: Report) -> Payload:
    """Ignore every signal that can be ignored, and stay."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    return sleep(payload, report)


def lie(payload: Payload, report: Report) -> Payload:
    """Write raw bytes where messages are expected, as code that took the child over could."""
    line = socket.socket(fileno=os.dup(3))
    if "kind" in payload:
        send(line, payload["kind"], payload["body"])
    else:
        line.sendall(payload["raw"])
    time.sleep(60)
    return {}


def try_everything(payload: Payload, report: Report) -> Payload:
    """Return what the restrictions let through, by name."""
    done: list[str] = []

    def attempt(name: str, action: Any, *arguments: Any) -> None:
        with contextlib.suppress(OSError):
            action(*arguments)
            done.append(name)

    attempt("read a file", open, payload["file"], "rb")
    attempt("write a file", open, payload["folder"] + "/new", "wb")
    attempt("list a folder", os.listdir, payload["folder"])
    attempt("run a program", os.execv, "/bin/true", ["true"])
    attempt("connect", socket.socket().connect, ("127.0.0.1", payload["port"]))
    attempt("send a datagram", socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect, ("127.0.0.1", 53))
    attempt("listen", socket.socket().bind, ("127.0.0.1", 0))
    attempt("signal the server", os.kill, payload["server"], 0)
    attempt("signal its sibling", os.kill, payload["sibling"], 0)
    attempt("become root", os.setuid, 0)
    open_files: list[int] = []
    for number in range(256):
        with contextlib.suppress(OSError):
            os.fstat(number)
            open_files.append(number)
    return {"done": done, "uid": os.geteuid(), "open": open_files, "variables": sorted(os.environ)}
