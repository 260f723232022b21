"""`vetrina settings`: what can be changed while the site runs."""

from __future__ import annotations

import asyncio

from cyclopts import App

from vetrina.core import logs, settings
from vetrina.core import site_settings as platform
from vetrina.core.command_line import output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.site_settings import SettingRow

app = App(name="settings", help="What can be changed while the site runs: rate limits, gifts.")


@app.command(name="list")
def list_(*, json: bool = False) -> int:
    """Every setting with its value and meaning.

    Parameters
    ----------
    json
        Print the result as JSON.
    """

    async def work(tx: Tx) -> list[SettingRow]:
        return await tx.all(platform.LIST)

    found = settings.read()
    logs.configure(found.log_format, "settings")
    rows = asyncio.run(doing(found, work))
    if json:
        output.as_json(rows)
    else:
        wide = max(len(row.key) for row in rows)
        for row in rows:
            print(f"{row.key:<{wide}}  {platform.shown(row):<14}  {row.description}")
    return 0


@app.command(name="set")
def set_(key: str, value: str) -> int:
    """Change a setting. Running processes take it up within a few seconds.

    Parameters
    ----------
    key
        Such as limits.api.
    value
        A limit as count/seconds (100/60; a count of 0 means without end), otherwise JSON or a text.
    """

    async def work(tx: Tx) -> SettingRow:
        return await platform.put(tx, key, platform.written(value))

    found = settings.read()
    logs.configure(found.log_format, "settings")
    row = asyncio.run(doing(found, work))
    print(f"{row.key} is {platform.shown(row)} now.")
    return 0
