"""Which settings ask for the operator's password."""

from __future__ import annotations

from vetrina.core import site_settings
from vetrina.core.web.request import Request


async def is_sensitive(request: Request) -> bool:
    """Return whether the setting that a request changes touches money."""
    async with request.read() as tx:
        return bool(await tx.fetch_optional(site_settings.IS_SENSITIVE, key=str(request.path_params["key"])))
