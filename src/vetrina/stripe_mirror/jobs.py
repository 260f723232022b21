"""What the mirror does by itself: settles what is in doubt, and takes in what no webhook told."""

from __future__ import annotations

import structlog

from vetrina.core.errors import Refusal
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.stripe_mirror import queries
from vetrina.stripe_mirror.backfill import actions as backfill
from vetrina.stripe_mirror.ingest import tie_resolution as settling

log = structlog.get_logger("vetrina.stripe_mirror")


@job("stripe_mirror.settle", queue="stripe", every="* * * * * */15")
async def settle(services: Services) -> None:
    """Every 15 s: fetch what events alone cannot tell. Does nothing without STRIPE_API_KEY."""
    if not services.settings.stripe_api_key:
        return
    found = await settling.settle(services)
    if found.fetched or found.failed:
        log.info("settled", fetched=found.fetched, gone=found.gone, failed=found.failed)


@job("stripe_mirror.reconcile", queue="stripe", every="*/10 * * * *")
async def reconcile(services: Services) -> None:
    """Every ten minutes: events that Stripe lists and no webhook brought. Does nothing without STRIPE_API_KEY."""
    if not services.settings.stripe_api_key:
        return
    try:
        progress = await backfill.reconcile(services)
    except Refusal as refused:
        log.warning("what changed at Stripe cannot be asked for", why=refused.message)
        return
    if progress.changed:
        log.info("events that no webhook brought", events=progress.changed)


@job("stripe_mirror.forget", queue="stripe", every="47 3 * * *")
async def forget(services: Services) -> None:
    """Once a day: readings of lists older than a month, and pages that a killed process left."""
    async with services.db.tx() as tx:
        await tx.do(queries.OLD_RANGES)
        await tx.do(queries.OLD_STAGED)
