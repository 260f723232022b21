"""`vetrina settings`: settings that can be changed while the site runs."""

from __future__ import annotations

import asyncio

from cyclopts import App

from vetrina.core import site_settings
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.settings import environment as settings
from vetrina.core.site_settings import SettingRow

app = App(name="settings", help="List and change settings while the site runs: rate limits, gifts.")


@app.command(name="list")
def list_(*, json: bool = False) -> int:
    """List every setting with its value and meaning.

    Args:
        json: Print the result as JSON.
    """

    async def work(tx: Tx) -> list[SettingRow]:
        return await tx.fetch_all(site_settings.LIST)

    configured = settings.read()
    logs.configure(configured.log_format, "settings")
    rows = asyncio.run(doing(configured, work))
    if json:
        output.as_json(rows)
    else:
        width = max(len(row.key) for row in rows)
        for row in rows:
            print(f"{row.key:<{width}}  {site_settings.format_value(row.key, row.value):<14}  {row.description}")
    return 0


@app.command(name="set")
def set_(key: str, value: str) -> int:
    """Change a setting. Running processes read it within a few seconds.

    Args:
        key: Such as limits.api.
        value: A limit as count/seconds (100/60; a count of 0 means no limit), otherwise JSON or a text.
    """

    async def work(tx: Tx) -> SettingRow:
        return await site_settings.put(tx, key, site_settings.parse_value(value))

    configured = settings.read()
    logs.configure(configured.log_format, "settings")
    row = asyncio.run(doing(configured, work))
    print(f"{row.key} is {site_settings.format_value(row.key, row.value)} now.")
    return 0
