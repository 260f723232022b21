"""Jobs of albums."""

from __future__ import annotations

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.media.albums import queries


@job("media.purge_albums", queue="core", every="41 4 * * *")
async def purge_albums(services: Services) -> None:
    """Delete albums that were deleted 30 days ago, 100 at a time. Their pictures stay."""
    while True:
        async with services.db.tx() as tx:
            if not await tx.fetch_all(queries.PURGE):
                return
