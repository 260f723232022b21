"""The operator's calls on settings and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, put
from litestar.params import Parameter

from vetrina.accounts.roles.guards import operator
from vetrina.core import audit
from vetrina.core import site_settings as platform
from vetrina.core.audit import Row
from vetrina.core.site_settings import SettingRow
from vetrina.core.web import paging
from vetrina.core.web.paging import Cursor, Limit, Page
from vetrina.core.web.request import Request


class Value(msgspec.Struct, forbid_unknown_fields=True):
    """The new value, of the same kind as the old one."""

    value: Any


@get("/operator/settings", guards=[operator], tags=["operator"])
async def settings(request: Request) -> Page[SettingRow]:
    """What can be changed while the site runs."""
    async with request.read() as tx:
        return Page(await tx.all(platform.LIST), None)


@put("/operator/settings/{key:str}", guards=[operator], tags=["operator"])
async def change(request: Request, key: str, data: Value) -> SettingRow:
    """Change a setting; every process takes it up within a few seconds. 404 for an unknown one, 422 for a wrong value."""
    async with request.tx() as tx:
        return await platform.put(tx, key, data.value)


@get("/operator/audit-logs", guards=[operator], tags=["operator"])
async def logs(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    account: UUID | None = None,
    actor: UUID | None = None,
    actor_type: Annotated[str | None, Parameter(max_length=16)] = None,
    action: Annotated[str | None, Parameter(max_length=64)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[Row]:
    """Who did what to what, the newest first."""
    async with request.read() as tx:
        rows = await tx.all(
            audit.SEARCH,
            before=paging.after(cursor),
            floor=audit.floor_of(since),
            account=account,
            actor=actor,
            actor_type=actor_type,
            action=action,
            since=since,
            until=until,
            limit=limit + 1,
        )
    return paging.page(rows, limit, lambda row: row.id, lambda row: row)


ROUTES: list[Any] = [settings, change, logs]
