"""Child processes that end with their parent, under another user if necessary; backoff between restarts.

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
    """An operating system user to run as; only root may choose one."""

    uid: int
    gid: int
    traverse: bool = False
    """Keep the right to read and traverse folders that are closed to it (Linux: one capability)."""


def spawn(
    command: Sequence[str],
    *,
    account: Account | None = None,
    death_signal: signal.Signals | None = signal.SIGTERM,
    must_access: Sequence[str | Path] = (),
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Process:
    """Start `command` (its first word a path) in a session of its own, so that Ctrl-C does not reach it.

    `death_signal` is sent by the kernel when the calling thread ends for whatever reason (Linux): so call this
    from the main thread. A process that cannot become `account`, or cannot access a path in `must_access`, exits
    with `spawn_child.CANNOT_START` and the reason on stderr. An empty `command` only checks that.
    """
    request = {
        "parent": os.getpid(),
        "death_signal": death_signal,
        "uid": account.uid if account else None,
        "gid": account.gid if account else None,
        "traverse": bool(account and account.traverse),
        "must_access": [str(path) for path in must_access],
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


async def wait_for_exit(process: Process, timeout: float | None = None) -> int | None:
    """Wait for its exit; return the exit code (negative: the signal), or None after `timeout` seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            return await _exit_code(process)
    return process.poll()


async def _exit_code(process: Process) -> int:
    while (code := process.poll()) is None:
        handle = _pidfd(process.pid)
        if handle is None:
            await asyncio.sleep(0.05)
            continue
        loop = asyncio.get_running_loop()
        exited = loop.create_future()
        loop.add_reader(handle, lambda: exited.done() or exited.set_result(None))
        try:
            await exited
        finally:
            loop.remove_reader(handle)
            os.close(handle)
    return code


def _pidfd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when the process exits, or None if the kernel has none."""
    with contextlib.suppress(OSError, AttributeError):
        return os.pidfd_open(pid)
    return None


@dataclass
class Backoff:
    """Delay before the next start: none the first time, then 0.2 s, doubling up to 10 s."""

    first: float = 0.2
    longest: float = 10.0
    healthy: float = 5.0
    """Lifetime in seconds after which an exit counts as the first one again."""
    failures: int = field(default=0, init=False)

    def after(self, lifetime: float) -> float:
        """Return the seconds to wait after an exit `lifetime` seconds after the start."""
        self.failures = 1 if lifetime >= self.healthy else self.failures + 1
        return 0.0 if self.failures == 1 else min(self.first * 2 ** min(self.failures - 2, 10), self.longest)
