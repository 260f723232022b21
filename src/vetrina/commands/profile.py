"""`vetrina profile`."""

from __future__ import annotations

import asyncio
from typing import Any

from vetrina import modules
from vetrina.core import site_settings
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.settings import environment as settings
from vetrina.site_profiles import PROFILES


def profile(*, apply: bool = False, json: bool = False) -> int:
    """Show which documented system the site is run as (VETRINA_PROFILE): its modules, credits, gifts and limits.

    Args:
        apply: Write the profile's gifts and limits into the settings of the site. A new database has them from the start.
        json: Print the result as JSON.
    """
    configured = settings.read()
    logs.configure(configured.log_format, "profile")
    chosen = PROFILES[configured.profile]

    async def work(tx: Tx) -> dict[str, Any]:
        return await (site_settings.put_all if apply else site_settings.differences)(tx, chosen.settings)

    served = modules.of(configured)
    former = asyncio.run(doing(configured, work))
    if json:
        output.as_json(
            {
                "profile": configured.profile,
                "modules": modules.loaded(configured),
                "credits": sorted(served.spends),
                "settings": chosen.settings,
                "applied" if apply else "differences": former,
            }
        )
        return 0
    print(f"{configured.profile}: {chosen.about}")
    print(f"Modules: {', '.join(modules.loaded(configured))}")
    print(f"Credits: {', '.join(sorted(served.spends)) or 'none'}")
    for key, value in chosen.settings.items():
        was = f"{'was' if apply else 'is'} {site_settings.format_value(key, former[key])}" if key in former else "as it is"
        print(f"Setting: {key} {site_settings.format_value(key, value)} ({was})")
    if former and not apply:
        print("`vetrina profile --apply` writes these settings.")
    return 0
