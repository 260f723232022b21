"""PostgreSQL access: statements with typed rows, transactions, one connection pool per process.

A statement is declared once, beside its row type; tests PREPARE each one against the migrated schema and compare its columns
with the row's fields. Functions that receive a `Tx` never open a transaction themselves.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar, Generic, LiteralString, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncCursor, sql
from psycopg.rows import kwargs_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from vetrina.core.database import timeouts
from vetrina.core.database.errors import TEMPORARY, map_errors
from vetrina.core.database.timeouts import Timeouts
from vetrina.core.errors import NotFound, Unavailable
from vetrina.core.retry import Backoff

Row = TypeVar("Row")
Result = TypeVar("Result")


POOL_TIMEOUT = 10.0
"""Seconds that a request waits for a pooled connection."""
RECONNECT = 0.5
"""Seconds between attempts to reach a database that is away."""
_AGAIN = Backoff(first=0.2)
_LISTEN_AGAIN = Backoff(first=0.2, longest=5.0)


class Statement(Generic[Row]):
    """One SQL statement and the type of its rows.

    `row` is a class whose fields are the statement's columns, a scalar type (int, str, UUID...) for a statement with one
    column, or NoneType for a statement that returns nothing. `declared` is False for a statement composed from a declared one
    at start-up.
    """

    declared: ClassVar[list[Statement[Any]]] = []

    def __init__(self, row: type[Row], sql: LiteralString, *, declared: bool = True) -> None:
        self.row = row
        self.sql: LiteralString = sql
        self.scalar = not hasattr(row, "__annotations__") or row.__module__ in {"builtins", "uuid", "datetime"}
        if declared:
            Statement.declared.append(self)

    def factory(self) -> Callable[[AsyncCursor[Any]], Callable[[Any], Row]]:
        """Return psycopg's row factory for this statement."""
        return _scalar if self.scalar else kwargs_row(self.row)


def _scalar(cursor: Any) -> Callable[[Any], Any]:
    return lambda values: values[0]


class Tx:
    """An open transaction (or, from `Database.read`, a connection in autocommit)."""

    __slots__ = ("connection",)

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self.connection = connection

    async def _run(self, statement: Statement[Row], arguments: dict[str, Any]) -> AsyncCursor[Row]:
        cursor = self.connection.cursor(row_factory=statement.factory())
        with map_errors():
            return await cursor.execute(statement.sql, arguments)

    async def fetch_all(self, statement: Statement[Row], **arguments: Any) -> list[Row]:
        """Return every row."""
        return await (await self._run(statement, arguments)).fetchall()

    async def fetch_optional(self, statement: Statement[Row], **arguments: Any) -> Row | None:
        """Return the first row, or None."""
        return await (await self._run(statement, arguments)).fetchone()

    async def fetch_one(self, statement: Statement[Row], **arguments: Any) -> Row:
        """Return the first row. Raises NotFound (404) if there is none."""
        row = await self.fetch_optional(statement, **arguments)
        if row is None:
            raise NotFound
        return row

    async def stream(self, statement: Statement[Row], **arguments: Any) -> AsyncIterator[Row]:
        """Stream rows from the server, some hundreds at a time, for results too large for memory. Only inside a transaction."""
        async with self.connection.cursor(name="stream", row_factory=statement.factory()) as cursor:
            cursor.itersize = 500
            with map_errors():
                await cursor.execute(statement.sql, arguments)
            async for row in cursor:
                yield row

    async def execute(self, statement: Statement[Any], **arguments: Any) -> int:
        """Execute the statement and return the number of affected rows."""
        return (await self._run(statement, arguments)).rowcount

    async def copy_in(self, table: tuple[str, str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """COPY rows into `table` (schema, name): for bulk inserts."""
        into = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(*table), sql.SQL(", ").join(map(sql.Identifier, columns)))
        with map_errors():
            async with self.connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in rows:
                    await copy.write_row(row)


class Database:
    """A connection pool for one database in one process."""

    def __init__(self, uri: str, *, size: int = 8, name: str = "vetrina", limits: Timeouts = timeouts.JOBS) -> None:
        self.uri = uri
        self._name = name
        self._full = False
        self._probe: asyncio.Task[bool] | None = None
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            uri,
            min_size=min(2, size),
            max_size=size,
            open=False,
            max_idle=300,
            # The pool's own delays between attempts grow to minutes; these stay short.
            reconnect_timeout=RECONNECT,
            reconnect_failed=_keep_trying,
            connection_class=timeouts.connection_class(limits),
            configure=partial(timeouts.apply, timeouts=limits),
            kwargs={"autocommit": True, "application_name": name, "prepare_threshold": 2, **timeouts.TCP},
        )

    async def open(self) -> None:
        """Open the pool. Raises PoolTimeout when the database does not answer within 30 s."""
        await self._pool.open(wait=True, timeout=30)

    async def close(self) -> None:
        """Close the pool."""
        if self._probe is not None:
            self._probe.cancel()
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[AsyncConnection[Any]]:
        """Yield a pooled connection in autocommit mode. A dead one is discarded and replaced.

        Raises Unavailable (503) when PostgreSQL does not answer within 10 s, cancels a statement, or is out of disk space.
        """
        try:
            connection = await self._living()
        except PoolTimeout as error:
            raise Unavailable("The database does not answer. Please try again in a moment.") from error
        try:
            yield connection
        except psycopg.OperationalError as error:
            if connection.broken or connection.closed:
                raise Unavailable("The database restarted. Please try again.") from error
            if isinstance(error, psycopg.errors.DiskFull):
                self._full = True
            for kind, message in TEMPORARY.items():
                if isinstance(error, kind):
                    raise Unavailable(message) from error
            raise
        finally:
            await self._pool.putconn(connection)

    async def _living(self) -> AsyncConnection[Any]:
        """Return a connection that did not die while idle in the pool.

        The pool's own check would pause for more than a second between the dead connections after a restart.
        """
        deadline = time.monotonic() + POOL_TIMEOUT
        while True:
            connection = await self._pool.getconn(deadline - time.monotonic())
            if not _spoke(connection):
                return connection
            try:
                await connection.execute("")  # may be only a notice of a changed setting
                return connection
            except psycopg.Error:
                await connection.close()
                await self._pool.putconn(connection)  # which makes the pool reconnect
            except BaseException:
                await self._pool.putconn(connection)
                raise

    @asynccontextmanager
    async def tx(self) -> AsyncGenerator[Tx]:
        """Yield a transaction: committed at the end, rolled back when an exception is raised."""
        async with self.connection() as connection:
            with map_errors():
                async with connection.transaction():
                    yield Tx(connection)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Tx]:
        """Yield a connection for reads and single statements, without BEGIN and COMMIT."""
        async with self.connection() as connection:
            yield Tx(connection)

    async def retry_transaction(self, work: Callable[[Tx], Awaitable[Result]], *, tries: int = 3) -> Result:
        """Run `work` in a transaction; retry on serialization failures and when the connection fails before it begins.

        Only for repeatable work: a commit whose response was lost may have happened.
        """
        for attempt in range(1, tries + 1):
            try:
                async with self.tx() as tx:
                    return await work(tx)
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected, Unavailable) as error:
                if attempt == tries or isinstance(error.__cause__, tuple(TEMPORARY)):
                    raise
                await asyncio.sleep(_AGAIN.delay(attempt))
        raise AssertionError("unreachable")

    async def listen(self, *channels: str) -> AsyncIterator[tuple[str, str]]:
        """Yield notifications (channel, payload) for ever, reconnecting when the connection fails.

        After each (re)connection it first yields ("", ""): earlier notifications may have been missed, so read the state again.
        """
        failures = 0
        options: dict[str, Any] = {"application_name": f"{self._name} listen", **timeouts.TCP}
        while True:
            try:
                async with await AsyncConnection.connect(self.uri, autocommit=True, **options) as connection:
                    for channel in channels:
                        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                    failures = 0
                    yield "", ""
                    async for notification in connection.notifies():
                        yield notification.channel, notification.payload
            except psycopg.OperationalError:
                failures += 1
                await asyncio.sleep(_LISTEN_AGAIN.delay(failures))

    async def ready(self, seconds: float = 1.5) -> bool:
        """Return whether a statement runs and, after a full disk, whether there is space again; within `seconds`."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._answers())
        done, _ = await asyncio.wait([self._probe], timeout=seconds)  # not cancelled: that would wait for the server too
        return bool(done) and self._probe.result()

    @property
    def full(self) -> bool:
        """Return whether the database's disk was full at the last attempt."""
        return self._full

    async def _answers(self) -> bool:
        try:
            async with self.connection() as connection:
                if self._full:
                    self._full = not await timeouts.has_room(connection)
                return not self._full and await Tx(connection).fetch_optional(PING) == 1
        except (Unavailable, psycopg.Error):
            return False

    def statistics(self) -> dict[str, int]:
        """Return the pool's counters, for /metrics."""
        return dict(self._pool.get_stats())


def _spoke(connection: AsyncConnection[Any]) -> bool:
    """Return whether an idle connection has data to read, which signals that the server closed it.

    Asks the kernel without blocking (about 2 microseconds), not the server.
    """
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


async def _keep_trying(pool: AsyncConnectionPool[Any]) -> None:
    """Reconnect soon while requests wait for a connection."""
    await asyncio.sleep(RECONNECT)
    await pool.check()


PING = Statement(int, "select 1")
