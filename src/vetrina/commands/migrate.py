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
    config = settings.read()
    logs.configure(config.log_format, "migrate")
    applied = asyncio.run(_migrate(config))
    if json:
        output.as_json({"applied": applied})
    else:
        print("\n".join(f"applied {name}" for name in applied) or "nothing to apply")
    return 0


async def _migrate(config: Settings) -> list[str]:
    if config.database_url:
        await asyncio.to_thread(ensure_external, config.database_url, config.data)
    async with reaching(config, make=True) as access:
        return await prepare(config, access.owner)
