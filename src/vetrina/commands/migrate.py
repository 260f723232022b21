"""`vetrina migrate`."""

from __future__ import annotations

import asyncio

from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import reaching
from vetrina.core.embedded import ensure_external
from vetrina.core.settings import environment as settings
from vetrina.core.settings.environment import Settings
from vetrina.prepare import prepare


def migrate(*, json: bool = False) -> int:
    """Apply migrations to the database and update its roles. `vetrina up` does this itself.

    Args:
        json: Print the result as JSON.
    """
    found = settings.read()
    logs.configure(found.log_format, "migrate")
    applied = asyncio.run(_migrate(found))
    if json:
        output.as_json({"applied": applied})
    else:
        print("\n".join(f"applied {name}" for name in applied) or "nothing to apply")
    return 0


async def _migrate(found: Settings) -> list[str]:
    if found.database_url:
        await asyncio.to_thread(ensure_external, found.database_url, found.data)
    async with reaching(found, make=True) as access:
        return await prepare(found, access.owner)
