"""Background jobs: declared beside their code, enqueued inside the caller's transaction.

SQL enqueues with `core.enqueue(name, args, queue)`, Python with `enqueue`. A job may run more than once (its worker was killed,
or the commit's response was lost), so every job is fenced or idempotent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import NoneType
from typing import Any, cast

from procrastinate import App, JobContext
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.testing import InMemoryConnector
from procrastinate.utils import utcnow
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Statement, Tx
from vetrina.core.services import Services

Work = Callable[..., Coroutine[Any, Any, None]]

MISSED_TICKS = 7 * 24 * 3600
"""Seconds back for which a missed run of a periodic job is made up, once: on a machine that is off at night the nightly jobs
run when it comes back. The library's default is ten minutes.
"""

app = App(connector=InMemoryConnector(), periodic_defaults={"max_delay": MISSED_TICKS})
"""Registry of all jobs; the worker sets its connector."""

FAILED = Statement(
    NoneType,
    """
    insert into core.job_failures (job_id, error) values (%(job)s, %(error)s)
    on conflict (job_id) do update set error = excluded.error
    """,
)
ENQUEUE = Statement(int, "select core.enqueue(%(task)s, %(args)s, %(queue)s, 0, %(lock)s)")


class RetryPolicy(BaseRetryStrategy):
    """Retry after 1, 4, 16, 64... seconds; immediately when the worker was only asked to stop."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to retry, or None for never."""
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_at=utcnow())
        if job.attempts + 1 >= self.attempts:
            return None
        return RetryDecision(retry_at=utcnow() + timedelta(seconds=min(4**job.attempts, 600)))


def job(
    name: str, *, queue: str, attempts: int = 5, every: str | None = None, aliases: tuple[str, ...] = ()
) -> Callable[[Work], Work]:
    """Declare a coroutine `work(services, **arguments)` as the job `name`.

    `aliases` are names that the job had in earlier versions: jobs queued under them still run.

    `every` is a cron expression (UTC, with an optional sixth field for seconds) for periodic jobs; they take no arguments, and
    a late run is not repeated.
    """

    def declare(work: Work) -> Work:
        async def run(context: JobContext, **arguments: Any) -> None:
            if every:
                arguments.pop("timestamp", None)
            at_hand = cast("dict[str, Any]", context.additional_context)  # pyright: ignore[reportUnknownMemberType]
            services: Services = at_hand["services"]
            try:
                await work(services, **arguments)
            except Exception as error:
                await record_failure(services, context.job.id, error)
                raise

        task = app.task(
            name=name,
            aliases=[*aliases],
            queue=queue,
            pass_context=True,
            retry=RetryPolicy(attempts),
            queueing_lock=name if every else None,
        )(run)
        if every:
            # Its type expects tasks that take `timestamp`; `run` accepts it among its arguments.
            app.periodic(cron=every)(cast("Any", task))
        return work

    return declare


async def record_failure(services: Services, job_id: int | None, error: Exception) -> None:
    """Store why an attempt failed; nothing where the database does not answer, which is often the reason itself."""
    text = f"{type(error).__name__}: {error}"[:500].replace("\0", " ")
    with contextlib.suppress(Exception):
        async with services.db.tx() as tx:
            await tx.execute(FAILED, job=job_id, error=text)


async def enqueue(tx: Tx, task: str, *, queue: str, lock: str | None = None, **arguments: Any) -> int:
    """Enqueue a job in the caller's transaction and return its id. Jobs with the same `lock` run one after another."""
    return await tx.fetch_one(ENQUEUE, task=task, args=Jsonb(arguments), queue=queue, lock=lock)
