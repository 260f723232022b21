"""A full, busy, frozen or unreachable database: the error message and how soon it appears."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.factories import Make
from tests.server import Site
from vetrina.core.database import timeouts
from vetrina.core.database.connection import Database
from vetrina.core.database.timeouts import Timeouts
from vetrina.core.embedded import Cluster
from vetrina.core.errors import Unavailable
from vetrina.core.web import health

SHORT = Timeouts(statement=1, lock=0.5, idle=1)


async def opened(uri: str, limits: Timeouts) -> Database:
    """Yield a pool with these limits."""
    db = Database(uri, size=4, name="limits", limits=limits)
    await db.open()
    return db


async def test_a_statement_a_lock_and_an_idle_transaction_end(database: str) -> None:
    """9.F32: each at its own time, told as a 503; the pool goes on."""
    db = await opened(database, SHORT)
    try:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="too long"):
            async with db.read() as tx:
                await tx.connection.execute("select pg_sleep(300)")
        async with db.tx() as tx:
            await tx.connection.execute("select pg_advisory_xact_lock(7)")
            with pytest.raises(Unavailable, match="changing the same"):
                async with db.tx() as other:
                    await other.connection.execute("select pg_advisory_xact_lock(7)")
        with pytest.raises((Unavailable, psycopg.Error)):
            async with db.tx() as tx:
                await asyncio.sleep(1.5)
                await tx.connection.execute("select 1")
        assert time.monotonic() - started < 60  # none of them ended by itself
        assert await db.ready()
    finally:
        await db.close()


async def test_limits_are_set_on_every_connection(database: str) -> None:
    """9.F32: by the server's own settings, for web and for jobs."""
    for limits, statement in ((timeouts.WEB, "15s"), (timeouts.JOBS, "10min")):
        db = await opened(database, limits)
        async with db.read() as tx:
            cursor = await tx.connection.execute("select current_setting('statement_timeout')")
            assert await cursor.fetchone() == (statement,)
        await db.close()


async def test_frozen_database_is_reported_in_time(tmp_path: Path) -> None:
    """9.F32: PostgreSQL stopped for seconds: readiness within 2 s, a statement within its time, and all well afterwards."""
    cluster = Cluster(tmp_path / "data", settings={"fsync": "off"})
    await cluster.start()
    db = await opened(cluster.uri("superuser", "postgres"), Timeouts(statement=1, lock=1, idle=5))
    try:
        assert await db.ready()
        async with db.read() as tx:
            cursor = await tx.connection.execute("select pid from pg_stat_activity where application_name = 'limits'")
            frozen = [row[0] for row in await cursor.fetchall()]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(2):
                started = time.monotonic()
                assert not await db.ready()
                assert time.monotonic() - started < 8  # 1.5 s by itself; the pool would wait for 10
            started = time.monotonic()
            with pytest.raises(Unavailable):
                async with db.read() as tx:
                    await tx.connection.execute("select 1")
            assert time.monotonic() - started < 25  # 10 s by itself; nothing else would end it
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        until = time.monotonic() + 10
        while not await db.ready():
            assert time.monotonic() < until
    finally:
        await db.close()
        await cluster.stop()


async def test_full_disk_is_reported_and_not_ready(site: Site, make: Make, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """9.F32: 503 with words, for programs and people; not ready until two megabytes can be written again."""
    account = await make.account()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "create function public.disk_is_full() returns trigger language plpgsql as "
            "$$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$"
        )
        connection.execute("create trigger disk_is_full before update on accounts.users execute function public.disk_is_full()")
        room = False

        async def has_room(_: object) -> bool:
            return room

        real = timeouts.has_room
        monkeypatch.setattr(timeouts, "has_room", has_room)
        async with site.api(account) as api, site.browser(account) as browser:
            assert (await site.client.get("/readyz")).status_code == 200
            refused = await api.patch("/me/profile", json={"name": "Ada"})
            assert refused.status_code == 503, refused.text
            assert "No space left" in refused.json()["detail"]
            assert (await browser.get("/library")).status_code < 500
            ready = await site.client.get("/readyz")
            assert (ready.status_code, ready.json()) == (503, {"status": "no space left on the disk"})
            connection.execute("drop trigger disk_is_full on accounts.users")
            monkeypatch.setattr(timeouts, "has_room", real)
            assert (await site.client.get("/readyz")).status_code == 200
            assert (await api.patch("/me/profile", json={"name": "Ada"})).status_code == 200


async def test_a_full_data_folder_is_not_ready(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """9.F32: before PostgreSQL feels it."""
    monkeypatch.setattr(health, "NO_ROOM", 1 << 60)
    assert (await site.client.get("/readyz")).status_code == 503
