"""The worker: slots for short jobs beside those for long ones, and missed periodic jobs."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from procrastinate.periodic import PeriodicDeferrer

from vetrina import worker as worker_process
from vetrina.core.database.ids import new_id
from vetrina.core.jobs.queue import app, enqueue, job
from vetrina.core.services import Services
from vetrina.modules import connect
from vetrina.reports import jobs as report_jobs

released = asyncio.Event()
quick_runs: list[str] = []


@job("tests.long", queue="studio")
async def long(services: Services) -> None:
    """Never finish, like a very slow picture."""
    await released.wait()


@job("tests.quick", queue="core")
async def quick(services: Services, name: str) -> None:
    """Finish at once, like a mail."""
    quick_runs.append(name)


async def test_mail_does_not_wait_behind_pictures(worker: Services) -> None:
    """Issue 9, 9a: 600 waiting pictures delay no letter."""
    released.clear()
    name = str(new_id())
    async with worker.db.tx() as tx:
        for _ in range(600):
            await enqueue(tx, "tests.long", queue="studio")
    try:
        await asyncio.sleep(1)  # the slots for pictures fill up
        started = time.monotonic()
        async with worker.db.tx() as tx:
            await enqueue(tx, "tests.quick", queue="core", name=name)
        while name not in quick_runs:
            assert time.monotonic() - started < 30
            await asyncio.sleep(0.02)
    finally:
        released.set()


def test_a_periodic_job_that_was_missed_runs_when_the_machine_is_back() -> None:
    """Issue 9, 19a: off at 03:17, on at 08:00, or a day later."""
    for clock in ("2026-11-27T08:00", "2026-11-28T02:00"):
        now = datetime.fromisoformat(clock).replace(tzinfo=UTC)
        deferrer = PeriodicDeferrer(registry=app.periodic_registry, **app.periodic_defaults)
        due = {task.task.name: tick for task, tick in deferrer.get_previous_tasks(at=now.timestamp())}
        assert datetime.fromtimestamp(due[report_jobs.VERIFY], UTC) == datetime(2026, 11, 27, 3, 17, tzinfo=UTC)


async def test_stop_during_start_ends_the_worker(services: Services) -> None:
    stop = asyncio.Event()
    stop.set()
    connected = connect(services.settings, services.db.uri)
    await asyncio.wait_for(worker_process.work(connected, stop), 10)
    stop = asyncio.Event()
    task = asyncio.create_task(worker_process.work(connect(services.settings, services.db.uri), stop))
    await asyncio.sleep(0.05)  # it has begun to connect
    stop.set()
    await asyncio.wait_for(task, 10)
