"""Supervision: dead children are restarted; all are stopped in order, if necessary killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from vetrina.core.processes import spawn
from vetrina.core.processes.supervisor import CONFIGURATION, MAX_FAILED_STARTS, CannotRun, Child, Supervisor

# Writes its name into the journal a moment after SIGTERM.
JOURNAL = """
import signal, sys, time
def end(*_):
    time.sleep(0.1)
    open(sys.argv[2], "a").write(sys.argv[1] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    time.sleep(60)
"""
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def child(name: str, code: str, *arguments: object, stop_timeout: float = 10) -> Child:
    """Return a child that runs `code`."""
    return Child(name, [sys.executable, "-S", "-c", code, *map(str, arguments)], stop_timeout=stop_timeout)


async def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until the condition holds; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.02)


def handles_signal(pid: int, number: signal.Signals) -> bool:
    """Return whether the process handles or ignores this signal by now."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return bool((int(status["SigCgt"], 16) | int(status["SigIgn"], 16)) >> (number - 1) & 1)


@asynccontextmanager
async def running(supervisor: Supervisor, names: set[str], force: asyncio.Event | None = None) -> AsyncIterator[None]:
    """Run the supervisor until the block ends."""
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop, force))
    await wait_until(lambda: supervisor.pids().keys() == names)
    await wait_until(lambda: all(handles_signal(pid, signal.SIGTERM) for pid in supervisor.pids().values()))
    yield
    stop.set()
    await asyncio.wait_for(task, 20)


async def test_groups_are_stopped_in_order(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    web = [child("web 1", JOURNAL, "web", journal), child("web 2", JOURNAL, "web", journal)]
    supervisor = Supervisor(web, [child("worker", JOURNAL, "worker", journal)])
    async with running(supervisor, {"web 1", "web 2", "worker"}):
        assert len(set(supervisor.pids().values())) == 3
    assert journal.read_text() == "web web worker "
    assert supervisor.pids() == {}


async def test_killed_child_is_restarted_at_once(tmp_path: Path) -> None:
    supervisor = Supervisor([child("a", JOURNAL, "a", tmp_path / "journal"), child("b", JOURNAL, "b", tmp_path / "journal")])
    async with running(supervisor, {"a", "b"}):
        before = supervisor.pids()
        os.kill(before["a"], signal.SIGKILL)
        await wait_until(lambda: supervisor.pids().get("a", before["a"]) != before["a"], 1)
        assert supervisor.pids()["b"] == before["b"]
        await wait_until(lambda: handles_signal(supervisor.pids()["a"], signal.SIGTERM))


async def test_child_is_killed_after_the_stop_timeout() -> None:
    supervisor = Supervisor([child("deaf", IGNORES_SIGTERM, stop_timeout=0.3)])
    async with running(supervisor, {"deaf"}):
        started = time.monotonic()
    assert 0.3 <= time.monotonic() - started < 3
    assert supervisor.pids() == {}


async def test_force_skips_the_stop_timeout() -> None:
    supervisor, force = Supervisor([child("deaf", IGNORES_SIGTERM, stop_timeout=60)]), asyncio.Event()
    async with running(supervisor, {"deaf"}, force):
        asyncio.get_running_loop().call_later(0.2, force.set)
    assert supervisor.pids() == {}


async def test_invalid_settings_are_not_retried(tmp_path: Path) -> None:
    code = f"import sys; open(sys.argv[1], 'a').write('x'); sys.exit({CONFIGURATION})"
    other = child("other", JOURNAL, "other", tmp_path / "journal")
    supervisor = Supervisor([other], [child("web 1", code, tmp_path / "starts")])
    with pytest.raises(CannotRun, match="web 1 cannot run with these settings"):
        await asyncio.wait_for(supervisor.run(asyncio.Event()), 20)
    assert (tmp_path / "starts").read_text() == "x"
    assert supervisor.pids() == {}


async def test_child_that_never_becomes_healthy_is_given_up(tmp_path: Path) -> None:
    supervisor = Supervisor([child("web 1", "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(9)", tmp_path / "starts")])
    with pytest.raises(CannotRun, match=f"web 1 ended {MAX_FAILED_STARTS} times right after its start .the last time with 9"):
        await asyncio.wait_for(supervisor.run(asyncio.Event()), 20)
    assert (tmp_path / "starts").read_text() == "x" * MAX_FAILED_STARTS


def test_restart_delay_grows_and_resets() -> None:
    backoff = spawn.Backoff()
    assert [backoff.after(0) for _ in range(9)] == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    assert backoff.after(60) == 0
