"""The worker process: runs the modules' jobs and requeues those of killed workers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable
from typing import Any, cast

import structlog
from procrastinate import PsycopgConnector
from procrastinate.tasks import Task
from procrastinate.utils import utcnow
from procrastinate.worker import Worker

from vetrina import modules
from vetrina.core.database.connection import Statement
from vetrina.core.database.timeouts import TCP
from vetrina.core.jobs import queue as jobs
from vetrina.core.module import Modules
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings

log = structlog.get_logger("vetrina.worker")

HEARTBEAT = 3.0
"""Seconds between heartbeats."""
STALLED = 15.0
"""Seconds without a heartbeat after which a worker's jobs are requeued."""
GRACE = 8.0
"""Seconds for running jobs to finish after SIGTERM; then they return to the queue."""

QUICK_SLOTS = 8
"""Short jobs (mail, payments, webhooks, maintenance) that one worker process runs at once. They mostly wait for other services,
and have slots of their own, so that no queue of images or exports delays them.
"""

DOING = Statement(int, "select id from procrastinate_jobs where status = 'doing' and worker_id = %(worker)s")


def load(settings: Settings) -> Modules:
    """Return the modules that these settings load, with their jobs declared."""
    loaded_modules = modules.of(settings)
    for module in loaded_modules:
        module.declare_jobs()
    return loaded_modules


async def run(services: Services) -> None:
    """Work until SIGTERM or SIGINT, waiting for an unreachable database."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work(services, stop)


async def work(services: Services, stop: asyncio.Event) -> None:
    """Work until `stop` is set."""
    services.modules = load(services.settings)
    await services.open()
    try:
        while not stop.is_set():
            try:
                await _once(services, stop)
            except Exception:
                log.warning("the worker restarts", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
    finally:
        await services.close()


async def _once(services: Services, stop: asyncio.Event) -> None:
    lanes = _lanes(services)
    connector = PsycopgConnector(
        conninfo=services.db.uri,
        min_size=2,
        max_size=2 + 2 * len(lanes),
        kwargs={"application_name": "vetrina worker", **TCP},
    )
    with jobs.app.replace_connector(connector):
        async with jobs.app.open_async():
            workers = [
                Worker(
                    jobs.app,
                    queues=queues,
                    name=name,
                    concurrency=concurrency,
                    fetch_job_polling_interval=2.0,
                    shutdown_graceful_timeout=GRACE,
                    additional_context={"services": services},
                    install_signal_handlers=False,
                    update_heartbeat_interval=HEARTBEAT,
                    stalled_worker_timeout=STALLED,
                )
                for name, queues, concurrency in lanes
            ]
            helpers = [asyncio.create_task(_rescue(services, workers)), asyncio.create_task(_stop(workers, stop))]
            try:
                async with asyncio.TaskGroup() as group:
                    for worker in workers:
                        group.create_task(worker.run())
            finally:
                for task in helpers:
                    task.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)


def _lanes(services: Services) -> list[tuple[str, list[str], int]]:
    """Return name, queues and number of slots of each lane: one for short jobs, one for each queue of long ones."""
    slow = {queue: slots for module in services.modules for queue, slots in module.slow_queues}
    tasks = cast("Iterable[Task[Any, Any, Any]]", jobs.app.tasks.values())  # pyright: ignore[reportUnknownMemberType]
    quick = sorted({task.queue for task in tasks} - set(slow))
    return [
        ("quick", quick, QUICK_SLOTS),
        *((queue, [queue], slots or services.settings.worker_concurrency) for queue, slots in slow.items()),
    ]


async def _stop(workers: list[Worker], stop: asyncio.Event) -> None:
    """Stop the workers once `stop` is set, again until they have ended: one that is only starting forgets it."""
    await stop.wait()
    while True:
        for worker in workers:
            worker.stop()
        await asyncio.sleep(0.1)


async def _rescue(services: Services, workers: list[Worker]) -> None:
    """Requeue interrupted jobs every 5 s.

    These are jobs of workers without a heartbeat, and our own jobs whose result could not be stored because the database was
    unreachable.
    """
    manager = jobs.app.job_manager
    suspects: set[int] = set()
    while True:
        await asyncio.sleep(5)
        try:
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                log.warning("a stalled job is requeued", job=job.id, task=job.task_name)
                await manager.retry_job(job)
            lost: set[int] = set()
            for worker in workers:
                async with services.db.read() as tx:
                    started = set(await tx.fetch_all(DOING, worker=worker.worker_id))
                lost |= started - {context.job.id for context in worker._running_jobs.values()}  # pyright: ignore[reportPrivateUsage]
            for number in lost & suspects:
                await manager.retry_job_by_id_async(number, utcnow())
            suspects = lost
        except Exception:
            log.warning("stalled jobs could not be looked for", exc_info=True)
