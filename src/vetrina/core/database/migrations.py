"""Migrations: plain SQL files, forward only.

Existing tools (yoyo, alembic, dbmate) want Python or down-scripts around the SQL, or are separate binaries; what is needed here
is short: files in order, each in its own transaction, under one lock. procrastinate's schema is applied first and upgraded by
its own files in the same way.
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
LANDED = "landed.sha256"
"""The file beside the migrations with the checksums of released ones, in the format of `sha256sum`."""
_LOCK = 0x7665747269  # "vetri": one migration at a time per database

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
    """One file: its name, its SQL, and its hash, which must never change once applied."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Return the hash of the SQL."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def folder() -> Path:
    """Return the folder of SQL files: in the installed package, or beside `src` in a checkout."""
    here = Path(__file__).resolve()
    packaged = here.parents[2] / "migrations"
    return packaged if packaged.is_dir() else here.parents[4] / "migrations"


def available(at: Path | None = None) -> list[Migration]:
    """Return Vetrina's migrations in order."""
    return [Migration(path.stem, path.read_text("utf-8")) for path in sorted((at or folder()).glob("[0-9]*.sql"))]


def _jobs() -> list[Migration]:
    sql = files("procrastinate") / "sql" / "migrations"
    sources = sorted((path for path in sql.iterdir() if path.name.endswith(".sql")), key=lambda file: file.name)
    return [Migration(f"procrastinate/{item.name}", item.read_text("utf-8")) for item in sources]


def migrate(uri: str, *, at: Path | None = None) -> list[str]:
    """Migrate the database at `uri` (as its owner) to the latest version; return the names of applied files.

    Waits for another running migration. A statement that waits 5 s for a lock fails, and nothing of its file is kept. Raises
    MigrationRefused, before anything is changed, when a released file is missing or changed, when an applied file was edited or
    is missing, when a new file sorts before an applied one, when the database is newer than the software, and when PostgreSQL
    is older than 15.
    """
    with psycopg.connect(uri, autocommit=True) as connection:
        if connection.info.server_version < _OLDEST:
            raise MigrationRefused(f"This is PostgreSQL {connection.info.server_version // 10000}; 15 or newer is needed.")
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        connection.execute("set lock_timeout = '5s'; set statement_timeout = '15min'; set client_min_messages = warning")
        connection.execute(_BOOTSTRAP)
        applied = dict(connection.execute("select name, sha256 from core.migrations").fetchall())
        migrations = available(at)
        _check_files(migrations, landed(at))
        _check(migrations, applied)
        done = _apply_jobs(connection, applied) + _apply(connection, migrations, applied)
        if connection.execute("select 1 from pg_roles where rolname = 'vetrina_app'").fetchone():
            connection.execute(((at or folder()) / "roles.sql").read_bytes())
        return done


def pending(uri: str) -> list[str]:
    """Return the names of files that have not been applied to the database at `uri`."""
    with psycopg.connect(uri, autocommit=True) as connection:
        if connection.execute("select to_regclass('core.migrations')").fetchone() == (None,):
            return [item.name for item in available()]
        applied = {row[0] for row in connection.execute("select name from core.migrations")}
    return [item.name for item in available() if item.name not in applied]


def landed(at: Path | None = None) -> dict[str, str]:
    """Return the checksums of released migrations by name, from `landed.sha256`; empty where there is no such file."""
    path = (at or folder()) / LANDED
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return {name.removesuffix(".sql"): checksum for checksum, name in (line.split() for line in lines)}


def _check_files(migrations: list[Migration], checksums: dict[str, str]) -> None:
    """Raise MigrationRefused for an installation whose released migrations are incomplete or changed."""
    present = {migration.name: migration.sha256 for migration in migrations}
    damaged = sorted(name for name, checksum in checksums.items() if present.get(name) != checksum)
    if damaged:
        raise MigrationRefused(
            f"This installation of Vetrina is damaged: its migrations {', '.join(damaged)} are missing or were changed. "
            "The database was not touched. Install the same version of Vetrina again and start it."
        )


def _check(migrations: list[Migration], applied: dict[str, str]) -> None:
    """Raise MigrationRefused for a database that these migrations cannot upgrade."""
    names = {migration.name for migration in migrations}
    unknown = sorted(name for name in applied if not name.startswith("procrastinate/") and name not in names)
    if unknown:
        raise MigrationRefused(
            f"The database was last used by a newer version of Vetrina: it has migrations that this version does not know "
            f"({', '.join(unknown)}). Nothing was changed. Install that version again, or a later one; an older version can only "
            "open a backup that was made with it."
        )
    skipped: str | None = None
    for migration in migrations:
        if migration.name not in applied:
            skipped = skipped or migration.name
        elif applied[migration.name] != migration.sha256:
            raise MigrationRefused(
                f"The database was made with another text of migration {migration.name} than this version of Vetrina has, so it "
                "comes from a modified or unreleased copy. Nothing was changed. Start the copy that made it, or restore a backup "
                "that a released version made. Developers: undo the edit and add a new migration instead."
            )
        elif skipped:
            raise MigrationRefused(
                f"Migration {skipped} comes before {migration.name}, which the database already has, so this copy of Vetrina "
                "was put together wrongly. Nothing was changed. Install a released version. Developers: give the file the next "
                "number."
            )


def _apply(connection: Connection, migrations: list[Migration], applied: dict[str, str]) -> list[str]:
    done: list[str] = []
    for migration in migrations:
        if migration.name not in applied:
            with connection.transaction():
                connection.execute(migration.sql.encode())
                _record(connection, migration)
            done.append(migration.name)
    return done


def _apply_jobs(connection: Connection, applied: dict[str, str]) -> list[str]:
    migrations = _jobs()
    if not any(name.startswith("procrastinate/") for name in applied):
        # A new database gets the library's complete schema at once, as its documentation advises.
        with connection.transaction():
            connection.execute((files("procrastinate") / "sql" / "schema.sql").read_bytes())
            for job in migrations:
                _record(connection, job)
        return ["procrastinate"]
    done: list[str] = []
    for job in migrations:
        if job.name not in applied:
            with connection.transaction():
                connection.execute(job.sql.encode())
                _record(connection, job)
            done.append(job.name)
    return done


def _record(connection: Connection, migration: Migration) -> None:
    connection.execute("insert into core.migrations (name, sha256) values (%s, %s)", (migration.name, migration.sha256))
