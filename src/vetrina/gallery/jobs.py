"""Jobs of the gallery."""

from __future__ import annotations

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.gallery.posts import queries


@job("gallery.purge", queue="core", every="23 4 * * *")
async def purge(services: Services) -> None:
    """Delete posts that were deleted 30 days ago, 500 at a time, and their counters."""
    async with services.db.read() as tx:
        while await tx.fetch_one(queries.PURGE):
            pass
        await tx.execute(queries.PURGE_COUNTERS)
