"""Database access for commands: the configured database, or the embedded one, started for the duration of the command."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg

from vetrina.core.database.connection import Database, Tx
from vetrina.core.embedded import Access, AlreadyRunning, Cluster, NotInitialised, embedded, ensure_roles, exists, external
from vetrina.core.settings.environment import Settings

Result = TypeVar("Result")


@asynccontextmanager
async def reaching(settings: Settings, *, make: bool = False) -> AsyncGenerator[Access]:
    """Yield the connection URIs of each role for a database that accepts connections.

    The embedded database is started if `vetrina up` is not running, and stopped afterwards. Unless `make` is true, a data
    folder without a database raises NotInitialised. Raises EmbeddedError, or psycopg's error.
    """
    if settings.database_url:
        yield await asyncio.to_thread(external, settings.database_url, settings.data)
        return
    if not make and not exists(settings.data):
        raise NotInitialised(f"The data folder {settings.data.absolute()} holds no database yet. `vetrina up` makes one.")
    cluster = Cluster(settings.data)
    try:
        await cluster.start()
    except AlreadyRunning:
        access = embedded(settings.data)
        await asyncio.to_thread(_answers, access.owner)
        yield access
        return
    try:
        yield await asyncio.to_thread(ensure_roles, settings.data)
    finally:
        await cluster.stop()


def _answers(uri: str, seconds: float = 20) -> None:
    """Wait until the database answers, while another process starts or restarts it."""
    until = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(uri, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


async def doing(settings: Settings, work: Callable[[Tx], Awaitable[Result]]) -> Result:
    """Run `work` in one transaction as the application's role. Raises what `reaching` and `work` raise."""
    async with reaching(settings) as access:
        db = Database(access.app, size=2, name="vetrina command")
        await db.open()
        try:
            async with db.tx() as tx:
                return await work(tx)
        finally:
            await db.close()
