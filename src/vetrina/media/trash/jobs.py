"""The job that empties the trash."""

from __future__ import annotations

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.media.trash import actions

BATCH = 500


@job("media.empty_trash", queue="media", every="13 * * * *")
async def empty_trash(services: Services) -> None:
    """Delete files for good that were in the trash for the days of the setting, a batch in a transaction."""
    while True:
        async with services.db.tx() as tx:
            if await actions.empty_old(tx, BATCH) < BATCH:
                return
