"""Preparation of a database: migrations, the catalogue that the software publishes, a new site's settings."""

from __future__ import annotations

import asyncio

from vetrina.core import site_settings
from vetrina.core.database.connection import Database
from vetrina.core.database.migrations import migrate
from vetrina.core.settings.environment import Settings
from vetrina.site_profiles import PROFILES
from vetrina.studio.styles import catalogue


async def prepare(settings: Settings, uri: str) -> list[str]:
    """Migrate the database at `uri` (as its owner); return the applied migrations.

    Raises MigrationRefused.
    """
    applied = await asyncio.to_thread(migrate, uri)
    db = Database(uri, size=2, name="vetrina prepare")
    await db.open()
    try:
        async with db.tx() as tx:
            await catalogue.publish(tx, settings)
            if "0001_core" in applied:  # a new database
                await site_settings.put_all(tx, PROFILES[settings.profile].settings)
    finally:
        await db.close()
    return applied
