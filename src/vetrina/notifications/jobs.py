"""Jobs of notifications."""

from __future__ import annotations

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.notifications import queries


@job("notifications.purge", queue="core", every="41 4 * * *")
async def purge(services: Services) -> None:
    """Delete notifications older than the setting `notifications.kept_days`, 1000 at a time."""
    async with services.db.read() as tx:
        while await tx.execute(queries.PURGE):
            pass
