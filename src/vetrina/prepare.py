"""What a database needs before anything serves from it: migrations, and what the software itself publishes."""

from __future__ import annotations

import asyncio

from vetrina.core.database.connection import Database
from vetrina.core.database.migrations import migrate
from vetrina.core.settings import Settings
from vetrina.studio.styles import catalogue


async def prepare(settings: Settings, uri: str) -> list[str]:
    """Bring the database at `uri` (its owner's) up to date; the migrations that were applied.

    Raises MigrationRefused.
    """
    applied = await asyncio.to_thread(migrate, uri)
    db = Database(uri, size=2, name="vetrina prepare")
    await db.open()
    try:
        async with db.tx() as tx:
            await catalogue.publish(tx, settings)
    finally:
        await db.close()
    return applied
