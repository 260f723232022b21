"""What tests look at behind the application's back: keys in the storage, jobs in the queue."""

from __future__ import annotations

import asyncio
import time

from vetrina.core.database.connection import Database
from vetrina.core.services import Services


async def stored(services: Services) -> set[str]:
    """Every key."""
    return {key async for key in services.storage.list("")}


async def jobs_run(db: Database, *, seconds: float = 20) -> None:
    """Wait until no job of the queue "media" is left to do."""
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
