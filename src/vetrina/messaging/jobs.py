"""Jobs of messaging."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.messaging.conversations import queries

UNUSED = timedelta(days=30)
"""How long a conversation is kept that all have hidden."""


@job("messaging.purge", queue="core", every="41 4 * * *")
async def purge(services: Services) -> None:
    """Delete conversations that all have hidden for 30 days or with nothing left for anyone, 500 at a time."""
    async with services.db.read() as tx:
        while await tx.fetch_one(queries.PURGE, before=datetime.now(UTC) - UNUSED):
            pass
