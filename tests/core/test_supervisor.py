"""Children that die are replaced; at the end they go in order, the stubborn ones by force."""

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

# Writes its name into the journal when it is told to end, after a moment.
GOOD = """
import signal, sys, time
def end(*_):
    time.sleep(0.1)
    open(sys.argv[2], "a").write(sys.argv[1] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def child(name: str, code: str, *arguments: object, stop_timeout: float = 10) -> Child:
    """A child that runs `code`."""
    return Child(name, [sys.executable, "-S", "-c", code, *map(str, arguments)], stop_timeout=stop_timeout)


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.02)


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether the process has got as far as to handle or ignore this signal."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return bool((int(status["SigCgt"], 16) | int(status["SigIgn"], 16)) >> (number - 1) & 1)


@asynccontextmanager
async def running(supervisor: Supervisor, names: set[str], force: asyncio.Event | None = None) -> AsyncIterator[None]:
    """Until the block ends, when it is told to stop."""
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop, force))
    await until(lambda: supervisor.pids().keys() == names)
    await until(lambda: all(handles(pid, signal.SIGTERM) for pid in supervisor.pids().values()))
    yield
    stop.set()
    await asyncio.wait_for(task, 20)


async def test_the_groups_end_one_after_the_other(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    web = [child("web 1", GOOD, "web", journal), child("web 2", GOOD, "web", journal)]
    supervisor = Supervisor(web, [child("worker", GOOD, "worker", journal)])
    async with running(supervisor, {"web 1", "web 2", "worker"}):
        assert len(set(supervisor.pids().values())) == 3
    assert journal.read_text() == "web web worker "
    assert supervisor.pids() == {}


async def test_a_killed_child_is_replaced_at_once(tmp_path: Path) -> None:
    supervisor = Supervisor([child("a", GOOD, "a", tmp_path / "journal"), child("b", GOOD, "b", tmp_path / "journal")])
    async with running(supervisor, {"a", "b"}):
        before = supervisor.pids()
        os.kill(before["a"], signal.SIGKILL)
        await until(lambda: supervisor.pids().get("a", before["a"]) != before["a"], 1)
        assert supervisor.pids()["b"] == before["b"]
        await until(lambda: handles(supervisor.pids()["a"], signal.SIGTERM))


async def test_a_stubborn_child_is_killed_when_its_patience_is_over() -> None:
    supervisor = Supervisor([child("deaf", STUBBORN, stop_timeout=0.3)])
    async with running(supervisor, {"deaf"}):
        started = time.monotonic()
    assert 0.3 <= time.monotonic() - started < 3
    assert supervisor.pids() == {}


async def test_hurry_cuts_the_patience_short() -> None:
    supervisor, force = Supervisor([child("deaf", STUBBORN, stop_timeout=60)]), asyncio.Event()
    async with running(supervisor, {"deaf"}, force):
        asyncio.get_running_loop().call_later(0.2, force.set)
    assert supervisor.pids() == {}


async def test_wrong_settings_are_not_tried_again(tmp_path: Path) -> None:
    code = f"import sys; open(sys.argv[1], 'a').write('x'); sys.exit({CONFIGURATION})"
    other = child("other", GOOD, "other", tmp_path / "journal")
    supervisor = Supervisor([other], [child("web 1", code, tmp_path / "starts")])
    with pytest.raises(CannotRun, match="web 1 cannot run with these settings"):
        await asyncio.wait_for(supervisor.run(asyncio.Event()), 20)
    assert (tmp_path / "starts").read_text() == "x"
    assert supervisor.pids() == {}


async def test_a_child_that_never_stands_is_given_up(tmp_path: Path) -> None:
    supervisor = Supervisor([child("web 1", "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(9)", tmp_path / "starts")])
    with pytest.raises(CannotRun, match=f"web 1 ended {MAX_FAILED_STARTS} times right after its start .the last time with 9"):
        await asyncio.wait_for(supervisor.run(asyncio.Event()), 20)
    assert (tmp_path / "starts").read_text() == "x" * MAX_FAILED_STARTS


def test_restarts_slow_down_and_recover() -> None:
    backoff = spawn.Backoff()
    assert [backoff.after(0) for _ in range(9)] == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    assert backoff.after(60) == 0
