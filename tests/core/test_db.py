"""The pool and its transactions: what happens when PostgreSQL goes away, and when it says no."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.factories import Make
from tests.server import Site
from vetrina.accounts.model import EmailTaken
from vetrina.core.database import connection as pooling
from vetrina.core.database.connection import PING, Database, Statement, Tx
from vetrina.core.errors import Invalid, NotFound, Unavailable


def statement(row: type[Any], sql: LiteralString) -> Statement[Any]:
    """Return an undeclared statement for this test."""
    created = Statement(row, sql)
    Statement.declared.remove(created)
    return created


def kill(server: str, name: str) -> int:
    """End every connection to the database `name` and return their number."""
    with psycopg.connect(server, autocommit=True) as connection:
        rows = connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()", (name,)
        ).fetchall()
    return len(rows)


async def fill(db: Database, count: int) -> None:
    """Open `count` connections of the pool."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(db.connection())


async def test_connections_that_died_in_the_pool_are_not_handed_out(db: Database, database: str, server: str) -> None:
    await fill(db, 8)
    assert kill(server, urlsplit(database).path[1:]) == 8
    started = time.perf_counter()

    async def ask() -> int:
        async with db.read() as tx:
            return await tx.fetch_one(PING)

    assert await asyncio.gather(*(ask() for _ in range(40))) == [1] * 40
    assert time.perf_counter() - started < 9  # not the pool's own pauses of seconds between dead connections


async def test_after_a_restart_the_first_request_succeeds(site: Site, make: Make, database: str, server: str) -> None:
    account = await make.account(tokens=3)
    async with site.api(account) as api, site.browser(account) as browser:
        for _ in range(3):
            assert kill(server, urlsplit(database).path[1:]) > 0
            answers = await asyncio.gather(api.get("/wallet"), browser.get("/wallet"), site.client.get("/readyz"))
            assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_connection_with_a_pending_notice_stays_in_the_pool(db: Database) -> None:
    await fill(db, 2)
    before = db.statistics()["connections_num"]
    pids: set[int] = set()
    async with db.connection() as one, db.connection() as other:
        for connection in (one, other):
            await connection.execute("listen whispers")
            pids.add(connection.info.backend_pid)
        await one.execute("notify whispers, 'nothing'")
    await asyncio.sleep(0.05)
    async with db.connection() as one, db.connection() as other:
        assert {one.info.backend_pid, other.info.backend_pid} == pids
    assert db.statistics()["connections_num"] == before


async def test_connection_that_dies_in_use_is_reported_and_replaced(db: Database, database: str, server: str) -> None:
    with pytest.raises(Unavailable):
        async with db.tx() as tx:
            kill(server, urlsplit(database).path[1:])
            await tx.fetch_one(PING)
    async with db.read() as tx:
        assert await tx.fetch_one(PING) == 1


async def test_retry_transaction_repeats_interrupted_work(db: Database, database: str, server: str) -> None:
    tries = 0

    async def work(tx: Tx) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            kill(server, urlsplit(database).path[1:])
        return await tx.fetch_one(PING)

    assert await db.retry_transaction(work) == 1 and tries == 2


async def ping(db: Database) -> int:
    """Run one statement, which waits for a connection."""
    async with db.read() as tx:
        return await tx.fetch_one(PING)


async def test_pool_reconnects_soon_after_an_outage(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Any] = []
    again = pooling._keep_trying

    async def counted(pool: Any) -> None:
        attempts.append(pool)
        await again(pool)

    monkeypatch.setattr(pooling, "_keep_trying", counted)
    parts = urlsplit(database)
    async with gate(parts.hostname or "", parts.port or 5432) as sign_in_page:
        place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{sign_in_page.port}"
        db = Database(urlunsplit(parts._replace(netloc=place)), size=4)
        await db.open()
        await fill(db, 4)
        await sign_in_page.shut()
        asking = asyncio.create_task(ping(db))
        async with asyncio.timeout(60):
            while len(attempts) < 2:  # the pool by itself makes one attempt of 300 s, with ever longer pauses
                await asyncio.sleep(0.05)
        assert not asking.done()
        await sign_in_page.open()
        assert await asking == 1  # within its 10 s
        await db.close()


async def test_constraint_violation_rolls_back_and_maps_to_its_refusal(db: Database, make: Make) -> None:
    account = await make.account(email="taken@example.com")
    rename = statement(type(None), "update accounts.users set name = %(name)s where account_id = %(account)s")
    again = statement(
        type(None), "insert into accounts.accounts (id, kind, email) values (gen_random_uuid(), 'user', 'taken@example.com')"
    )
    with pytest.raises(EmailTaken):
        async with db.tx() as tx:
            await tx.execute(rename, name="Other", account=account.id)
            await tx.execute(again)
    async with db.read() as tx:
        assert (
            await tx.fetch_one(statement(str, "select name from accounts.users where account_id = %(a)s"), a=account.id) == "Test"
        )


@pytest.mark.parametrize("text", ["zero \0 inside", "half a pair \ud800"])
async def test_unstorable_text_is_refused_by_the_database(db: Database, text: str) -> None:
    with pytest.raises(Invalid):
        async with db.tx() as tx:
            await tx.fetch_one(statement(str, "select %(text)s::text"), text=text)


async def test_internal_error_is_not_a_refusal(db: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        async with db.tx() as tx:
            await tx.fetch_all(statement(int, "select nonsense"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        async with db.tx() as tx:
            await tx.fetch_all(statement(int, "select 1 / 0"))


async def test_one_needs_a_row(db: Database) -> None:
    async with db.read() as tx:
        assert await tx.fetch_optional(statement(int, "select 1 where false")) is None
        with pytest.raises(NotFound):
            await tx.fetch_one(statement(int, "select 1 where false"))


async def test_notifications_arrive_and_reconnects_are_reported(db: Database, database: str, server: str) -> None:
    received = db.listen("generations")
    assert await anext(received) == ("", "")
    async with db.read() as tx:
        await tx.connection.execute("select pg_notify('generations', 'first')")
    assert await asyncio.wait_for(anext(received), 5) == ("generations", "first")
    kill(server, urlsplit(database).path[1:])
    assert await asyncio.wait_for(anext(received), 5) == ("", "")
    await received.aclose()  # type: ignore[attr-defined]


class Door:
    """A TCP forwarder that can be closed, to simulate an unreachable database."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._server: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._through, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse new connections and drop the old ones."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._streams):
            writer.transport.abort()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        others, ours = await asyncio.open_connection(*self._to)
        self._streams |= {writer, ours}
        await asyncio.gather(_pipe(reader, ours), _pipe(others, writer), return_exceptions=True)
        self._streams -= {writer, ours}


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def gate(host: str, port: int) -> AsyncIterator[Door]:
    """Yield an open forwarder to a server."""
    sign_in_page = Door(host, port)
    await sign_in_page.open()
    yield sign_in_page
    await sign_in_page.shut()
