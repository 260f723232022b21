"""The worker process: it runs the jobs of the modules, and takes up what a killed worker left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import structlog
from procrastinate import PsycopgConnector
from procrastinate.utils import utcnow
from procrastinate.worker import Worker

from vetrina import modules
from vetrina.core.database.connection import Statement
from vetrina.core.jobs import queue as jobs
from vetrina.core.module import Modules
from vetrina.core.services import Services
from vetrina.core.settings import Settings

log = structlog.get_logger("vetrina.worker")

HEARTBEAT = 3.0
"""Seconds between signs of life."""
STALLED = 15.0
"""Seconds without a sign of life after which a worker's jobs are taken up by another."""
GRACE = 8.0
"""Seconds that running jobs get to end in after SIGTERM; then they go back into the queue."""

DOING = Statement(int, "select id from procrastinate_jobs where status = 'doing' and worker_id = %(worker)s")


def load(settings: Settings) -> Modules:
    """Return the modules that these settings load, with their jobs declared."""
    found = modules.of(settings)
    for module in found:
        module.declare_jobs()
    return found


async def run(services: Services) -> None:
    """Work until SIGTERM or SIGINT. A database that goes away is waited for."""
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
                log.warning("the worker begins anew", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
    finally:
        await services.close()


async def _once(services: Services, stop: asyncio.Event) -> None:
    connector = PsycopgConnector(
        conninfo=services.db.uri, min_size=2, max_size=4, kwargs={"application_name": "vetrina worker"}
    )
    with jobs.app.replace_connector(connector):
        async with jobs.app.open_async():
            worker = Worker(
                jobs.app,
                concurrency=services.settings.worker_concurrency,
                fetch_job_polling_interval=2.0,
                shutdown_graceful_timeout=GRACE,
                additional_context={"services": services},
                install_signal_handlers=False,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED,
            )
            rescuer = asyncio.create_task(_rescue(services, worker))
            stopper = asyncio.create_task(_stop(worker, stop))
            try:
                await worker.run()
            finally:
                for task in (rescuer, stopper):
                    task.cancel()
                await asyncio.gather(rescuer, stopper, return_exceptions=True)


async def _stop(worker: Worker, stop: asyncio.Event) -> None:
    await stop.wait()
    worker.stop()


async def _rescue(services: Services, worker: Worker) -> None:
    """Every 5 s, put back what nobody works on: jobs of workers that fell silent, and jobs of ours
    whose end could not be written down because the database was away."""
    suspects: set[int] = set()
    while True:
        await asyncio.sleep(5)
        try:
            for job in await worker.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                log.warning("a job is taken up again", job=job.id, task=job.task_name)
                await worker.app.job_manager.retry_job(job)
            async with services.db.read() as tx:
                mine = set(await tx.all(DOING, worker=worker.worker_id))
                running = {each.job.id for each in worker._running_jobs.values()}  # pyright: ignore[reportPrivateUsage]
                lost = mine - running
                for number in lost & suspects:
                    await worker.app.job_manager.retry_job_by_id_async(number, utcnow())
                suspects = lost
        except Exception:
            log.warning("the rescue was put off", exc_info=True)
