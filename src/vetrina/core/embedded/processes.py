"""Finding and stopping the processes of one cluster, also those that a killed supervisor left behind."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def name_of(data: Path) -> str:
    """Return a name for the cluster in this folder that is unique on this machine.

    It goes into `cluster_name`, which every process of the cluster shows in its title, readable
    to all, where /proc/PID/cwd is not. A copied folder gets another name.
    """
    status = data.stat()
    return "vetrina-" + hashlib.sha256(f"{status.st_dev}:{status.st_ino}".encode()).hexdigest()[:12]


def argument(name: str) -> str:
    """Return the command line argument by which a postmaster of this name is recognised."""
    return f"cluster_name={name}"


def postmasters(name: str) -> list[int]:
    """Return the pids of the cluster's postmasters, also of one that is just starting."""
    return [pid for pid, command in _commands() if argument(name) in command]


def backends(name: str) -> list[int]:
    """Return the pids of the cluster's other processes."""
    return [pid for pid, command in _commands() if command.startswith(f"postgres: {name}: ")]


async def stop_all(name: str) -> bool:
    """Stop all processes of this cluster; return whether there were any. Takes at most 15 s.

    Orphaned backends (their postmaster was killed) hold the shared memory, and PostgreSQL refuses to start
    until the last is gone. They are killed: committed transactions are in the log, others are rolled back.
    """
    running = bool(postmasters(name) or backends(name))
    for number, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 2.0)):
        if not _signal(postmasters(name), number):
            break
        await _wait_until_gone(lambda: postmasters(name), seconds)
    for _ in range(20):
        if not _signal(backends(name), signal.SIGKILL):
            break
        await _wait_until_gone(lambda: backends(name), 0.2)
    return running


def remove_stale_pid(pgdata: Path) -> None:
    """Remove a stale postmaster.pid whose pid belongs to another program by now.

    PostgreSQL itself removes one whose pid is unused. Requires the folder's lock.
    """
    file = pgdata / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        pid = int(file.read_text().split("\n", 1)[0])
        command = dict(_commands()).get(pid)
        if command is not None and not _serves(pid, command, pgdata):
            file.unlink()


def _serves(pid: int, command: str, pgdata: Path) -> bool:
    if "postgres" not in command.split(" ", 1)[0] and "postmaster" not in command.split(" ", 1)[0]:
        return False
    if str(pgdata) in command:
        return True
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(pgdata)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # not readable: leave the decision to PostgreSQL


async def _wait_until_gone(remaining: object, seconds: float) -> None:
    until = time.monotonic() + seconds
    while callable(remaining) and remaining() and time.monotonic() < until:  # noqa: ASYNC110  # polled
        await asyncio.sleep(0.02)


def _signal(pids: list[int], number: signal.Signals) -> bool:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # in a container, orphans are adopted by us
    return bool(pids)


def _commands() -> list[tuple[int, str]]:
    """Return pid and command line of all visible processes; zombies have none and are left out."""
    if sys.platform != "linux":
        output = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False).stdout
        pairs = [line.split(None, 1) for line in output.splitlines()]
        return [(int(pair[0]), pair[1]) for pair in pairs if len(pair) == 2]
    processes: list[tuple[int, str]] = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                raw = Path("/proc", entry, "cmdline").read_bytes()
                if raw:
                    processes.append((int(entry), raw.replace(b"\0", b" ").decode(errors="replace").strip()))
    return processes
