"""Timeouts of a connection: for statements, locks, idle transactions, and servers that do not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import PQGen

Result = TypeVar("Result")

TCP: dict[str, int] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""libpq's parameters that detect an unreachable host within half a minute."""
PROBE_ROWS = 64
"""Rows of about 32 KB that test for free space on the database's disk."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds that PostgreSQL enforces. `silence` is when the client gives up on a server that does not answer."""

    statement: float
    lock: float
    idle: float

    @property
    def silence(self) -> float:
        """Return a little more than the statement timeout: the server's own error arrives first, if it still can."""
        return self.statement + 3


WEB = Timeouts(statement=15, lock=10, idle=30)
JOBS = Timeouts(statement=600, lock=60, idle=1800)


class Connection(AsyncConnection[Any]):
    """A connection that is closed when its server does not answer: frozen, or cut off from the network."""

    silence: ClassVar[float] = JOBS.silence

    async def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Wait as psycopg does. Raises OperationalError, with the connection closed, after `silence` seconds."""
        try:
            return await super().wait(gen, interval, self.silence if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
            if timeout is not None:
                raise
            await self.close()
            raise psycopg.OperationalError(f"the server has not answered for {self.silence:g} seconds") from None


def connection_class(timeouts: Timeouts) -> type[Connection]:
    """Return a connection class with these timeouts."""
    return type("Connection", (Connection,), {"silence": timeouts.silence})


async def apply(connection: AsyncConnection[Any], timeouts: Timeouts) -> None:
    """Set `timeouts` on this connection's session."""
    names = {
        "statement_timeout": timeouts.statement,
        "lock_timeout": timeouts.lock,
        "idle_in_transaction_session_timeout": timeouts.idle,
    }
    arguments = [value for name, seconds in names.items() for value in (name, f"{int(seconds * 1000)}ms")]
    await connection.execute("select set_config(%s, %s, false), set_config(%s, %s, false), set_config(%s, %s, false)", arguments)


async def has_room(connection: AsyncConnection[Any]) -> bool:
    """Return whether two megabytes can be written; they are rolled back. Raises psycopg.Error, except for a full disk."""
    try:
        async with connection.transaction(force_rollback=True):
            await connection.execute("create temporary table room (filler text)")
            await connection.execute(
                "insert into room select string_agg(md5(random()::text || n || part), '') "
                "from generate_series(1, %s) n, generate_series(1, 1000) part group by n",
                [PROBE_ROWS],
            )
        return True
    except psycopg.errors.DiskFull:
        return False
