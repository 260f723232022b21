"""Periodic deletion of old data of the core schema."""

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
"""Hours without a change after which the process of a work folder counts as killed."""
KEY_HOURS = 24
"""Hours that an Idempotency-Key is kept."""

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

OLD_FAILURES = Statement(NoneType, "delete from core.job_failures where updated_at < now() - interval '31 days'")
OLD_LETTERS = Statement(NoneType, "delete from core.outbox where created_at < now() - interval '7 days'")
OLD_WINDOWS = Statement(NoneType, "delete from core.rate_limits where window_start < now() - interval '2 days'")


@job("core.forget_old_keys", queue="core", every="17 * * * *")
async def forget_old_keys(services: Services) -> None:
    """Delete idempotency keys older than 24 hours."""
    async with services.db.tx() as tx:
        await tx.execute(OLD_KEYS, hours=KEY_HOURS)


@job("core.sweep_storage", queue="core", every="47 * * * *")
async def sweep_storage(services: Services) -> None:
    """Delete files of killed uploads and exports: drafts after an hour, work folders after six."""
    drafts = await services.storage.sweep()
    folders = await asyncio.to_thread(files.sweep_work, services.settings.data, WORK_HOURS * 3600)
    if drafts or folders:
        log.info("files of killed uploads and exports were deleted", drafts=drafts, folders=folders)


@job("core.forget_old_jobs", queue="core", every="27 * * * *")
async def forget_old_jobs(services: Services) -> None:
    """Delete finished jobs after a day and failed ones after a month."""
    async with services.db.tx() as tx:
        await tx.execute(OLD_JOBS)
        await tx.execute(OLD_FAILURES)


@job("core.forget_old_counts", queue="core", every="37 * * * *")
async def forget_old_counts(services: Services) -> None:
    """Delete rate limit counters after two days, and a development site's outbox after a week."""
    async with services.db.tx() as tx:
        await tx.execute(OLD_WINDOWS)
    async with services.db.tx() as tx:
        await tx.execute(OLD_LETTERS)
