"""What reports do by themselves: follow the mirror, count metadata, so that who asks waits for little."""

from __future__ import annotations

import structlog

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.reports import actions
from vetrina.reports.members import actions as members

log = structlog.get_logger("vetrina.reports")


@job("reports.follow", queue="core", every="* * * * *")
async def follow(services: Services) -> None:
    """Work out how subscriptions went on, and which metadata there is."""
    await actions.follow(services.db)
    async with services.db.tx() as tx:
        await members.count_metadata(tx, waiting=False)


@job("reports.cut_off", queue="core", every="* * * * * */15")
async def cut_off(services: Services) -> None:
    """Nobody reports for longer than a minute at a time."""
    async with services.db.read() as tx:
        ended = await actions.cut_off(tx)
    if ended:
        log.warning("statements of the reporting role ran too long and were ended", count=ended)


@job("reports.prove", queue="core", every="17 3 * * *")
async def prove(services: Services) -> None:
    """Once a night: what is kept follows from the history. If not, it is told and worked out anew."""
    wrong = await actions.prove(services.db)
    if wrong:
        log.error("the states kept for reports did not follow from the history", first=wrong[0].id)
        await actions.follow(services.db, anew=True)
