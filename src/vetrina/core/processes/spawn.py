"""Processes that end with us, under another user if need be; waiting for one; pausing between restarts.

Unlike asyncio's own subprocesses these belong to no event loop: one may start a process and another
wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from vetrina.core.processes import spawn_child

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Account:
    """A user of the operating system to run as; only root may choose one."""

    uid: int
    gid: int
    reach: bool = False
    """Keep the right to read and walk through folders that are closed to it (Linux: one capability)."""


def spawn(
    command: Sequence[str],
    *,
    account: Account | None = None,
    death_signal: signal.Signals | None = signal.SIGTERM,
    must_reach: Sequence[str | Path] = (),
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Process:
    """Start `command` (its first word a path) in a session of its own, so that Ctrl-C is not for it.

    `death_signal` is what the kernel sends it when the thread that called this ends, however that
    comes (Linux): so call this from the main thread. A process that cannot become `account`, or cannot see a
    path in `must_reach`, ends with `spawn_child.CANNOT` and says why on stderr. An empty `command` only asks.
    """
    request = {
        "parent": os.getpid(),
        "death_signal": death_signal,
        "uid": account.uid if account else None,
        "gid": account.gid if account else None,
        "reach": bool(account and account.reach),
        "must_reach": [str(path) for path in must_reach],
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-S", spawn_child.__file__, json.dumps(request), *command],
        env=environment,
        cwd=cwd,
        pass_fds=tuple(pass_fds),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


async def ended(process: Process, timeout: float | None = None) -> int | None:
    """Wait for its end: the exit code (negative: the signal), or None after `timeout` seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            return await _end(process)
    return process.poll()


async def _end(process: Process) -> int:
    while (code := process.poll()) is None:
        handle = _pidfd(process.pid)
        if handle is None:
            await asyncio.sleep(0.05)
            continue
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        loop.add_reader(handle, lambda: gone.done() or gone.set_result(None))
        try:
            await gone
        finally:
            loop.remove_reader(handle)
            os.close(handle)
    return code


def _pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends, where the kernel has such."""
    with contextlib.suppress(OSError, AttributeError):
        return os.pidfd_open(pid)
    return None


@dataclass
class Backoff:
    """How long to wait before the next start: not at all the first time, then 0.2 s, doubling to 10 s."""

    first: float = 0.2
    most: float = 10.0
    healthy: float = 5.0
    """Seconds of life after which an end counts as the first one again."""
    failures: int = field(default=0, init=False)

    def after(self, lived: float) -> float:
        """Seconds to wait, now that it has ended after `lived` seconds."""
        self.failures = 1 if lived >= self.healthy else self.failures + 1
        return 0.0 if self.failures == 1 else min(self.first * 2 ** min(self.failures - 2, 10), self.most)
