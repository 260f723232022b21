"""Background jobs: fetch unresolved objects, ingest missed events, purge old progress."""

from __future__ import annotations

import structlog

from vetrina.core.errors import Refusal
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill import actions as backfill
from vetrina.stripe_mirror.ingest import tie_resolution

log = structlog.get_logger("vetrina.stripe_mirror")


@job("stripe_mirror.resolve_ties", queue="stripe", every="* * * * * */15", aliases=("stripe_mirror.settle",))
async def resolve_ties(services: Services) -> None:
    """Fetch unresolved objects. Does nothing without STRIPE_API_KEY."""
    if not services.settings.stripe_api_key:
        return
    result = await tie_resolution.resolve_ties(services)
    if result.fetched or result.failed:
        log.info("unresolved objects fetched", fetched=result.fetched, deleted=result.deleted, failed=result.failed)


@job("stripe_mirror.reconcile", queue="stripe", every="*/10 * * * *")
async def reconcile(services: Services) -> None:
    """Ingest events that no webhook delivered. Does nothing without STRIPE_API_KEY."""
    if not services.settings.stripe_api_key:
        return
    try:
        progress = await backfill.reconcile(services)
    except Refusal as refused:
        log.warning("Stripe's events cannot be listed", reason=refused.message)
        return
    if progress.changed:
        log.info("missed events ingested", events=progress.changed)


@job("stripe_mirror.purge", queue="stripe", every="47 3 * * *", aliases=("stripe_mirror.forget",))
async def purge(services: Services) -> None:
    """Delete the progress of runs older than a month, and staged pages left by a killed process."""
    async with services.db.tx() as tx:
        await tx.execute(queries.DELETE_OLD_RANGES)
        await tx.execute(queries.DELETE_OLD_STAGED)
