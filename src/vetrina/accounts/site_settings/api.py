"""JSON routes of site settings, for operators."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, put

from vetrina.accounts.roles.guards import operator
from vetrina.accounts.site_settings.actions import is_sensitive
from vetrina.core import site_settings
from vetrina.core.database.paging import Page
from vetrina.core.site_settings import SettingRow
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import confirmed_if


class Value(msgspec.Struct, forbid_unknown_fields=True):
    """The new value, of the same type as the old one."""

    value: Any


@get("/operator/settings", guards=[operator], tags=["operator"])
async def list_settings(request: Request) -> Page[SettingRow]:
    """Return the settings that can be changed while the site runs."""
    async with request.read() as tx:
        return Page(await tx.fetch_all(site_settings.LIST), None)


@put("/operator/settings/{key:str}", guards=[operator], tags=["operator"], opt=confirmed_if(is_sensitive))
async def change(request: Request, key: str, data: Value) -> SettingRow:
    """Change a setting; every process reads it within a few seconds. 404 for an unknown one, 422 for a wrong value."""
    async with request.tx() as tx:
        return await site_settings.put(tx, key, data.value)


ROUTES: list[Any] = [list_settings, change]
