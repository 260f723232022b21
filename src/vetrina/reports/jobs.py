"""Background jobs: refresh derived states, terminate long queries, verify nightly."""

from __future__ import annotations

import structlog

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.reports import actions
from vetrina.reports.members import actions as members

log = structlog.get_logger("vetrina.reports")

VERIFY = "reports.verify"


@job("reports.refresh", queue="core", every="* * * * *", aliases=("reports.follow",))
async def refresh(services: Services) -> None:
    """Refresh the subscriptions' states and the metadata counts."""
    await actions.refresh(services.db)
    async with services.db.tx() as tx:
        await members.count_metadata(tx, waiting=False)


@job("reports.terminate_long_queries", queue="core", every="* * * * * */15", aliases=("reports.cut_off",))
async def terminate_long_queries(services: Services) -> None:
    """Cancel statements of the reporting role that have run for more than a minute."""
    async with services.db.read() as tx:
        cancelled = await actions.terminate_long_queries(tx)
    if cancelled:
        log.warning("statements of the reporting role ran too long and were cancelled", count=cancelled)


@job(VERIFY, queue="core", every="17 3 * * *", aliases=("reports.prove",))
async def verify(services: Services) -> None:
    """Verify the stored states against the history every night; on a difference, log it and rebuild."""
    differences = await actions.verify(services.db)
    if differences:
        log.error("stored report states differ from the history; rebuilding", first=differences[0].id)
        await actions.refresh(services.db, rebuild=True)
