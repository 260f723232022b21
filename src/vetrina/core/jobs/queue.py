"""Background jobs: declared beside what they do, enqueued inside the caller's transaction.

SQL enqueues with `core.enqueue(name, args, queue)`, Python with `enqueue`. A job may run more than
once (its worker was killed, the commit's answer was lost), so each one fences or repeats harmlessly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

from procrastinate import App, JobContext
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.testing import InMemoryConnector
from procrastinate.utils import utcnow
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Statement, Tx

Work = Callable[..., Awaitable[None]]

MISSED_TICKS = 7 * 24 * 3600
"""Seconds back that a periodic job which was missed is made up for, once: on a machine that is off at night the nightly
jobs run when it comes back. The library's own default is ten minutes."""

app = App(connector=InMemoryConnector(), periodic_defaults={"max_delay": MISSED_TICKS})
"""Knows every job; the worker gives it its connection."""

ENQUEUE = Statement(int, "select core.enqueue(%(task)s, %(args)s, %(queue)s, 0, %(lock)s)")


class Patience(BaseRetryStrategy):
    """Tries again after 1, 4, 16, 64... seconds; at once when the worker was only told to stop."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, or None for never."""
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_at=utcnow())
        if job.attempts + 1 >= self.attempts:
            return None
        return RetryDecision(retry_at=utcnow() + timedelta(seconds=min(4**job.attempts, 600)))


def job(
    name: str, *, queue: str, attempts: int = 5, every: str | None = None, aliases: tuple[str, ...] = ()
) -> Callable[[Work], Work]:
    """Declare a coroutine `work(services, **arguments)` as the job `name`.

    `aliases` are names that the job had in earlier versions: jobs that were queued under them still run.

    `every` is a cron expression (UTC, a sixth field for seconds) for jobs that come by themselves;
    they take no arguments, and one that is late is not run twice.
    """

    def declare(work: Work) -> Work:
        async def run(context: JobContext, **arguments: Any) -> None:
            if every:
                arguments.pop("timestamp", None)
            at_hand = cast("dict[str, Any]", context.additional_context)  # pyright: ignore[reportUnknownMemberType]
            await work(at_hand["services"], **arguments)

        task = app.task(
            name=name,
            aliases=[*aliases],
            queue=queue,
            pass_context=True,
            retry=Patience(attempts),
            queueing_lock=name if every else None,
        )(run)
        if every:
            # Its type asks for tasks that name `timestamp`; `run` takes it among its arguments.
            app.periodic(cron=every)(cast("Any", task))
        return work

    return declare


async def enqueue(tx: Tx, task: str, *, queue: str, lock: str | None = None, **arguments: Any) -> int:
    """Put a job into its queue, in the caller's transaction; its id. Jobs of one `lock` run one after the other."""
    return await tx.one(ENQUEUE, task=task, args=Jsonb(arguments), queue=queue, lock=lock)
