"""Keeps a set of processes alive, and ends them in order."""

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
TRIES = 5
"""Ends in a row, each soon after the start, after which a child that never stood is given up."""


class CannotRun(Exception):
    """A child ends again and again, or told that its settings are wrong; its own message is in the log above."""


@dataclass(frozen=True)
class Child:
    """A process to keep: a command whose first word is a path, and how long it may take to end (seconds)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    pass_fds: Sequence[int] = ()
    patience: float = 15.0


class Supervisor:
    """Runs `groups` of children; on a stop the groups are ended one after the other, in the order given.

    When we are killed ourselves, the kernel kills the children (Linux): everything that they do survives that,
    and none stays behind to hold the port or take jobs.
    """

    def __init__(self, *groups: Sequence[Child]) -> None:
        self._groups = groups
        self._running: dict[str, spawn.Process] = {}
        self._stopping = False

    def pids(self) -> dict[str, int]:
        """The process ids of the children that run now, by name."""
        return {name: process.pid for name, process in self._running.items() if process.poll() is None}

    async def run(
        self, stop: asyncio.Event, hurry: asyncio.Event | None = None, on_stop: Callable[[], None] = lambda: None
    ) -> None:
        """Keep the children until `stop`; then SIGTERM, and SIGKILL for those that outstay their patience.

        `on_stop` is called before the first is ended; `hurry` cuts the patience short. Raises CannotRun when a
        child cannot be kept. Call from the main thread.
        """
        hurry = hurry or asyncio.Event()
        waiting = asyncio.create_task(stop.wait())
        keepers = [asyncio.create_task(self._keep(child)) for group in self._groups for child in group]
        try:
            done, _ = await asyncio.wait([waiting, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._stopping = True
            for task in (waiting, *keepers):
                task.cancel()
            await asyncio.gather(waiting, *keepers, return_exceptions=True)
            on_stop()
            for group in self._groups:
                await asyncio.gather(*(self._end(child, hurry) for child in group))

    async def _keep(self, child: Child) -> None:
        backoff = spawn.Backoff()
        stood = False
        own = 0  # ends in a row that were its own: being killed from outside is no reason to give up
        while not self._stopping:
            started = time.monotonic()
            process = self._running[child.name] = spawn.spawn(
                child.command, environment=child.environment, pass_fds=child.pass_fds, death_signal=signal.SIGKILL
            )
            code = await spawn.ended(process)
            lived = time.monotonic() - started
            stood = stood or lived >= backoff.healthy
            pause = backoff.after(lived)
            own = own + 1 if code != -signal.SIGKILL else 0
            if code == CONFIGURATION:
                raise CannotRun(f"{child.name} cannot run with these settings.")
            if not stood and own >= TRIES:
                raise CannotRun(f"{child.name} ended {TRIES} times right after its start (the last time with {code}).")
            log.error(f"{child.name} ended and is started again", code=code, lived=round(lived, 1), pause=pause)
            await asyncio.sleep(pause)

    async def _end(self, child: Child, hurry: asyncio.Event) -> None:
        process = self._running.get(child.name)
        if process is None or process.poll() is not None:
            return
        process.terminate()
        waits = [asyncio.create_task(spawn.ended(process, child.patience)), asyncio.create_task(hurry.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        if process.poll() is None:
            log.warning(f"{child.name} did not end in time and is killed")
            process.kill()
            await spawn.ended(process, 10)
