"""Migrations: plain SQL files, forward only.

Kept tools (yoyo, alembic, dbmate) either want Python or down-scripts around the SQL or are separate
binaries; what is needed here is short: files in order, each in its own transaction, under one lock.
procrastinate's schema comes first and is upgraded by its own files in the same way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_OLDEST = 150000  # `on delete set null (column)` came with 15
_LOCK = 0x7665747269  # "vetri": one migration at a time on one database

_BOOTSTRAP = """
create schema if not exists core;
create table if not exists core.migrations (
  name text primary key,
  sha256 text not null,
  applied_at timestamptz not null default now(),
  created_at timestamptz not null default now()
)
"""


class MigrationRefused(Exception):
    """The database and the files disagree; the message says how and what to do."""


@dataclass(frozen=True)
class Migration:
    """One file: its name, its SQL, and the hash that must never change once it was applied."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hash of the SQL."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def folder() -> Path:
    """Where the SQL files are: in the installed package, or beside `src` in a checkout."""
    here = Path(__file__).resolve()
    packaged = here.parents[2] / "migrations"
    return packaged if packaged.is_dir() else here.parents[4] / "migrations"


def known(at: Path | None = None) -> list[Migration]:
    """Vetrina's own migrations, in order."""
    return [Migration(path.stem, path.read_text("utf-8")) for path in sorted((at or folder()).glob("[0-9]*.sql"))]


def _jobs() -> list[Migration]:
    sql = files("procrastinate") / "sql" / "migrations"
    found = sorted((each for each in sql.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    return [Migration(f"procrastinate/{each.name}", each.read_text("utf-8")) for each in found]


def migrate(uri: str, *, at: Path | None = None) -> list[str]:
    """Bring the database at `uri` (its owner's) up to date; the names of the files that were applied.

    Waits for another migration that is under way. A statement that waits 5 s for a lock gives up, and
    nothing of its file stays. Raises MigrationRefused, before anything is changed, when a file that was
    applied has been edited or is missing, when a new file comes before one that was applied, when the
    database is newer than the software, and when PostgreSQL is older than 15.
    """
    with psycopg.connect(uri, autocommit=True) as connection:
        if connection.info.server_version < _OLDEST:
            raise MigrationRefused(f"This is PostgreSQL {connection.info.server_version // 10000}; 15 or newer is needed.")
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("set lock_timeout = '5s'; set statement_timeout = '15min'; set client_min_messages = warning")
        connection.execute(_BOOTSTRAP)
        applied = dict(connection.execute("select name, sha256 from core.migrations").fetchall())
        wanted = known(at)
        _check(wanted, applied)
        done = _apply_jobs(connection, applied) + _apply(connection, wanted, applied)
        if connection.execute("select 1 from pg_roles where rolname = 'vetrina_app'").fetchone():
            connection.execute(((at or folder()) / "roles.sql").read_bytes())
        return done


def pending(uri: str) -> list[str]:
    """The names of files that have not been applied to the database at `uri`."""
    with psycopg.connect(uri, autocommit=True) as connection:
        if connection.execute("select to_regclass('core.migrations')").fetchone() == (None,):
            return [each.name for each in known()]
        applied = {row[0] for row in connection.execute("select name from core.migrations")}
    return [each.name for each in known() if each.name not in applied]


def _check(wanted: list[Migration], applied: dict[str, str]) -> None:
    names = {each.name for each in wanted}
    strangers = sorted(name for name in applied if not name.startswith("procrastinate/") and name not in names)
    if strangers:
        raise MigrationRefused(
            f"The database has migrations that this version does not know ({', '.join(strangers)}). Use the newer version."
        )
    passed: str | None = None
    for each in wanted:
        if each.name not in applied:
            passed = passed or each.name
        elif applied[each.name] != each.sha256:
            raise MigrationRefused(
                f"Migration {each.name} was edited after it was applied. Undo the edit and add a new file instead."
            )
        elif passed:
            raise MigrationRefused(f"Migration {passed} comes before {each.name}, which is already applied. Number it anew.")


def _apply(connection: Connection, wanted: list[Migration], applied: dict[str, str]) -> list[str]:
    done: list[str] = []
    for each in wanted:
        if each.name not in applied:
            with connection.transaction():
                connection.execute(each.sql.encode())
                _record(connection, each)
            done.append(each.name)
    return done


def _apply_jobs(connection: Connection, applied: dict[str, str]) -> list[str]:
    wanted = _jobs()
    if not any(name.startswith("procrastinate/") for name in applied):
        # A new database takes the library's whole schema at once, as its documentation advises.
        with connection.transaction():
            connection.execute((files("procrastinate") / "sql" / "schema.sql").read_bytes())
            for each in wanted:
                _record(connection, each)
        return ["procrastinate"]
    done: list[str] = []
    for each in wanted:
        if each.name not in applied:
            with connection.transaction():
                connection.execute(each.sql.encode())
                _record(connection, each)
            done.append(each.name)
    return done


def _record(connection: Connection, each: Migration) -> None:
    connection.execute("insert into core.migrations (name, sha256) values (%s, %s)", (each.name, each.sha256))
