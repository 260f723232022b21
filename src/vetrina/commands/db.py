"""`vetrina db`: access to the database."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Literal

import psycopg
from cyclopts import App, Parameter
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from vetrina.core.checks import record_dump
from vetrina.core.command_line import exit_codes as exits
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.embedded import embedded, external
from vetrina.core.embedded.binaries import Binaries
from vetrina.core.files import flush_folder
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings

app = App(name="db", help="The database: its address, a shell on it, dump and restore.")

Named = Literal["owner", "app", "reporting"]


@app.command
def uri(*, role: Named = "app", json: bool = False) -> int:
    """Print the database's connection URI, including its password.

    Args:
        role: Role to connect as: owner (migrates), app (runs), reporting (reads).
        json: Print the result as JSON.
    """
    config = settings.read()
    access = external(config.database_url, config.data) if config.database_url else embedded(config.data)
    if access.note:
        print(f"vetrina: {access.note}", file=sys.stderr)
    if json:
        output.as_json({"role": role, "uri": access.uri(role), "note": access.note})
    else:
        print(access.uri(role))
    return 0


@app.command
def shell(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)], role: Named = "app") -> int:
    """Open psql on the database and return its exit code.

    Args:
        arguments: Arguments for psql, such as -c "select 1".
        role: Role to connect as: owner (migrates), app (runs), reporting (reads).
    """
    config = settings.read()
    logs.configure(config.log_format, "db shell")
    return asyncio.run(_shell(config, role, arguments))


@app.command
def dump(file: Path) -> int:
    """Write a copy of the database into a file, with the pg_dump that fits; Vetrina may run meanwhile.

    The file is whole or not there, and only its owner can read it. Files and secret-key.json of the data folder are not in it.

    Args:
        file: Where to write it; a file that exists is not replaced.
    """
    config = settings.read()
    logs.configure(config.log_format, "db dump")
    return asyncio.run(_dump(config, file))


@app.command
def restore(file: Path) -> int:
    """Fill an empty database from a file that `vetrina db dump` wrote: all of it or nothing.

    Without VETRINA_DATABASE_URL it is the database of the data folder, which is made if need be. `vetrina up` then brings it up
    to date. Put files and secret-key.json back into the data folder too.

    Args:
        file: What `vetrina db dump` wrote.
    """
    config = settings.read()
    logs.configure(config.log_format, "db restore")
    return asyncio.run(_restore(config, file))


async def _dump(config: Settings, file: Path) -> int:
    if file.exists():  # noqa: ASYNC240  # a quick look at a local folder
        print(f"vetrina: {file} exists and is not replaced.", file=sys.stderr)
        return exits.FAILED
    draft = file.with_name(f".{file.name}.part")
    async with reaching(config) as access:
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as out:
                code = await _run("pg_dump", access.owner, "--format=custom", "--no-owner", stdout=out)
                out.flush()
                os.fsync(out.fileno())
            if code == 0:
                os.replace(draft, file)
                flush_folder(file.absolute().parent)  # noqa: ASYNC240  # a quick look at a local folder
                record_dump(config.data, datetime.now(UTC))
        except OSError as error:
            print(f"vetrina: {file} cannot be written: {error.strerror}", file=sys.stderr)
            return exits.FAILED
        finally:
            draft.unlink(missing_ok=True)
    return exits.OK if code == 0 else exits.DATABASE


async def _restore(config: Settings, file: Path) -> int:
    if not file.is_file():  # noqa: ASYNC240  # a quick look at a local folder
        print(f"vetrina: there is no file {file}.", file=sys.stderr)
        return exits.FAILED
    async with reaching(config, make=True) as access:
        with psycopg.connect(access.owner, autocommit=True) as connection:
            taken = connection.execute("select to_regclass('core.migrations') is not null").fetchone() == (True,)
            roles = connection.execute("select count(*) from pg_roles where rolname like 'vetrina\\_%'").fetchone()
        if taken:
            print(
                "vetrina: the database holds a site already, and nothing was changed. Restore into an empty database: set "
                "VETRINA_DATA to a new folder, or VETRINA_DATABASE_URL to an empty database.",
                file=sys.stderr,
            )
            return exits.FAILED
        grants = [] if roles and roles[0] >= 2 else ["--no-privileges"]  # migrating grants what there is to grant
        options = ("--no-owner", "--exit-on-error", "--single-transaction", *grants)
        return exits.OK if await _run("pg_restore", access.owner, *options, str(file)) == 0 else exits.DATABASE


async def _run(program: str, uri: str, *arguments: str, stdout: IO[bytes] | None = None) -> int:
    """Run one of PostgreSQL's programs on the database at `uri` and return its exit code."""
    where, environment = _connection(uri)
    words = [Binaries.find().program(program), "-d", where, *arguments]
    return await asyncio.to_thread(subprocess.call, words, env=environment, stdout=stdout)


def _connection(uri: str) -> tuple[str, dict[str, str]]:
    """Return a program's connection arguments and environment.

    The password goes into the environment, because other users may read command lines.
    """
    parts = conninfo_to_dict(uri)
    password = str(parts.pop("password", "") or "")
    return make_conninfo("", **parts), {**os.environ, **({"PGPASSWORD": password} if password else {})}


async def _shell(config: Settings, role: Named, arguments: tuple[str, ...]) -> int:
    async with reaching(config) as access:
        where, environment = _connection(access.uri(role))
        previous = signal.signal(signal.SIGINT, _leave)
        try:
            return await asyncio.to_thread(
                subprocess.call,
                [Binaries.find().program("psql"), "-d", where, *arguments],
                env=environment,
            )
        finally:
            signal.signal(signal.SIGINT, previous)


def _leave(_: int, __: object) -> None:
    """Ignore Ctrl-C: psql uses it to cancel a query."""
