"""Direct access to storage keys and queued jobs for tests."""

from __future__ import annotations

import asyncio
import time

from vetrina.core.database.connection import Database
from vetrina.core.services import Services


async def stored(services: Services) -> set[str]:
    """Return all keys."""
    return {key async for key in services.storage.list("")}


async def jobs_run(db: Database, *, seconds: float = 20) -> None:
    """Wait until the queue "media" is empty."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        async with db.read() as tx:
            cursor = await tx.connection.execute(
                "select count(*) from procrastinate_jobs where queue_name = 'media' and status in ('todo', 'doing')"
            )
            row = await cursor.fetchone()
        if row == (0,):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the jobs of media did not end")
