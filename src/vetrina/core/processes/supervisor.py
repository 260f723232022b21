"""Keeps a set of processes running, and stops them in order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from vetrina.core.processes import spawn

log = structlog.get_logger("vetrina.supervisor")

CONFIGURATION = 78
"""Exit code (sysexits' EX_CONFIG) of a child that a restart cannot help: its settings are wrong."""
MAX_FAILED_STARTS = 5
"""Consecutive exits soon after the start, after which a child that was never healthy is given up."""


class CannotRun(Exception):
    """A child exits repeatedly, or reports that its settings are wrong; its own message is in the log above."""


@dataclass(frozen=True)
class Child:
    """A process to keep running: a command whose first word is a path; `stop_timeout` is in seconds."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    pass_fds: Sequence[int] = ()
    stop_timeout: float = 15.0


class Supervisor:
    """Runs `groups` of children; to stop, the groups are stopped one after the other, in the order given.

    When this process is killed, the kernel kills the children (Linux): all that they do survives that,
    and none is left behind that holds the port or takes jobs.
    """

    def __init__(self, *groups: Sequence[Child]) -> None:
        self._groups = groups
        self._running: dict[str, spawn.Process] = {}
        self._stopping = False

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running children, by name."""
        return {name: process.pid for name, process in self._running.items() if process.poll() is None}

    async def run(
        self, stop: asyncio.Event, force: asyncio.Event | None = None, on_stop: Callable[[], None] = lambda: None
    ) -> None:
        """Keep the children running until `stop`; then SIGTERM, and SIGKILL after the `stop_timeout`.

        `on_stop` is called before the first is stopped; `force` skips the timeouts. Raises CannotRun when a
        child cannot be kept running. Call from the main thread.
        """
        force = force or asyncio.Event()
        stop_requested = asyncio.create_task(stop.wait())
        tasks = [asyncio.create_task(self._keep_running(child)) for group in self._groups for child in group]
        try:
            done, _ = await asyncio.wait([stop_requested, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._stopping = True
            for task in (stop_requested, *tasks):
                task.cancel()
            await asyncio.gather(stop_requested, *tasks, return_exceptions=True)
            on_stop()
            for group in self._groups:
                await asyncio.gather(*(self._stop_child(child, force) for child in group))

    async def _keep_running(self, child: Child) -> None:
        backoff = spawn.Backoff()
        was_healthy = False
        own_exits = 0  # consecutive exits of its own: being killed from outside is no reason to give up
        while not self._stopping:
            started = time.monotonic()
            process = self._running[child.name] = spawn.spawn(
                child.command, environment=child.environment, pass_fds=child.pass_fds, death_signal=signal.SIGKILL
            )
            code = await spawn.wait_for_exit(process)
            lifetime = time.monotonic() - started
            was_healthy = was_healthy or lifetime >= backoff.healthy
            pause = backoff.after(lifetime)
            own_exits = own_exits + 1 if code != -signal.SIGKILL else 0
            if code == CONFIGURATION:
                raise CannotRun(f"{child.name} cannot run with these settings.")
            if not was_healthy and own_exits >= MAX_FAILED_STARTS:
                times = f"{MAX_FAILED_STARTS} times right after its start"
                raise CannotRun(f"{child.name} ended {times} (the last time with {code}).")
            log.error(f"{child.name} ended and is started again", code=code, lifetime=round(lifetime, 1), pause=pause)
            await asyncio.sleep(pause)

    async def _stop_child(self, child: Child, force: asyncio.Event) -> None:
        process = self._running.get(child.name)
        if process is None or process.poll() is not None:
            return
        process.terminate()
        waits = [asyncio.create_task(spawn.wait_for_exit(process, child.stop_timeout)), asyncio.create_task(force.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        if process.poll() is None:
            log.warning(f"{child.name} did not end in time and is killed")
            process.kill()
            await spawn.wait_for_exit(process, 10)
