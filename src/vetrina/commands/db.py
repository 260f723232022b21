"""`vetrina db`: the database itself."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from vetrina.core import logs, settings
from vetrina.core.command_line import output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.embedded import embedded, external
from vetrina.core.embedded.binaries import Binaries
from vetrina.core.settings import Settings

app = App(name="db", help="The database: its address, a shell on it.")

Named = Literal["owner", "app", "reporting"]


@app.command
def uri(*, role: Named = "app", json: bool = False) -> int:
    """Print the address of the database, with its password.

    Parameters
    ----------
    role
        As whom to connect: owner (migrates), app (runs), reporting (reads).
    json
        Print the result as JSON.
    """
    found = settings.read()
    access = external(found.database_url, found.data) if found.database_url else embedded(found.data)
    if access.note:
        print(f"vetrina: {access.note}", file=sys.stderr)
    if json:
        output.as_json({"role": role, "uri": access.uri(role), "note": access.note})
    else:
        print(access.uri(role))
    return 0


@app.command
def shell(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True)], role: Named = "app") -> int:
    """Open psql on the database; its exit code is passed on.

    Parameters
    ----------
    arguments
        For psql, such as -c "select 1".
    role
        As whom to connect: owner (migrates), app (runs), reporting (reads).
    """
    found = settings.read()
    logs.configure(found.log_format, "db shell")
    return asyncio.run(_shell(found, role, arguments))


async def _shell(found: Settings, role: Named, arguments: tuple[str, ...]) -> int:
    async with reaching(found) as access:
        parts = conninfo_to_dict(access.uri(role))
        password = str(parts.pop("password", "") or "")  # others may read command lines, not environments
        where = make_conninfo("", **parts)
        kept = signal.signal(signal.SIGINT, _leave)
        try:
            return await asyncio.to_thread(
                subprocess.call,
                [Binaries.find().program("psql"), "-d", where, *arguments],
                env={**os.environ, **({"PGPASSWORD": password} if password else {})},
            )
        finally:
            signal.signal(signal.SIGINT, kept)


def _leave(_: int, __: object) -> None:
    """Ctrl-C is for psql, which ends a query with it."""
