"""What core clears away by itself."""

from __future__ import annotations

import asyncio
from types import NoneType

import structlog

from vetrina.core import files
from vetrina.core.database.connection import Statement
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.cleanup")

WORK_HOURS = 6
"""How long a work folder may lie still before its process counts as killed."""
KEY_HOURS = 24
"""How long an Idempotency-Key is remembered."""

OLD_KEYS = Statement(
    NoneType,
    """
    delete from core.idempotency_keys where (account_id, key) in (
      select account_id, key from core.idempotency_keys
       where created_at < now() - make_interval(hours => %(hours)s) limit 10000)
    """,
)
OLD_JOBS = Statement(
    NoneType,
    """
    delete from procrastinate_jobs where id in (
      select id from procrastinate_jobs j
       where status in ('succeeded', 'failed', 'cancelled', 'aborted')
         and not exists (select from procrastinate_events e
                          where e.job_id = j.id
                            and e.at > now() - case j.status when 'succeeded' then interval '1 day' else interval '30 days' end)
       limit 10000)
    """,
)

OLD_LETTERS = Statement(NoneType, "delete from core.outbox where created_at < now() - interval '7 days'")
OLD_WINDOWS = Statement(NoneType, "delete from core.rate_limits where window_start < now() - interval '2 days'")


@job("core.forget_old_keys", queue="core", every="17 * * * *")
async def forget_old_keys(services: Services) -> None:
    """Idempotency keys live 24 hours."""
    async with services.db.tx() as tx:
        await tx.do(OLD_KEYS, hours=KEY_HOURS)


@job("core.sweep_storage", queue="core", every="47 * * * *")
async def sweep_storage(services: Services) -> None:
    """Delete what killed uploads and exports have left on the disk: drafts after an hour, work folders after six."""
    drafts = await services.storage.sweep()
    folders = await asyncio.to_thread(files.sweep_work, services.settings.data, WORK_HOURS * 3600)
    if drafts or folders:
        log.info("what killed uploads and exports left is removed", drafts=drafts, folders=folders)


@job("core.forget_old_jobs", queue="core", every="27 * * * *")
async def forget_old_jobs(services: Services) -> None:
    """Jobs that are done are kept a day, failed ones a month."""
    async with services.db.tx() as tx:
        await tx.do(OLD_JOBS)


@job("core.forget_old_counts", queue="core", every="37 * * * *")
async def forget_old_counts(services: Services) -> None:
    """Counts of rate limits are kept two days, a development site's letters a week."""
    async with services.db.tx() as tx:
        await tx.do(OLD_WINDOWS)
    async with services.db.tx() as tx:
        await tx.do(OLD_LETTERS)
