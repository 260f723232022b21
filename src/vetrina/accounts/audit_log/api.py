"""JSON routes of the audit log: an account's own entries, and all of them for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import Parameter

from vetrina.accounts.audit_log import labels
from vetrina.accounts.roles.guards import operator
from vetrina.core import audit
from vetrina.core.audit import Row
from vetrina.core.database import paging
from vetrina.core.database.paging import Page
from vetrina.core.database.records import to_record
from vetrina.core.web.moments import Moment, moment
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in


class AuditEntry(msgspec.Struct):
    """An event of an account. `ip` and `context` are only in entries of the account's own actions."""

    id: UUID
    action: str
    by: Literal["you", "operator", "vetrina", "other_user"]
    resource: str | None
    resource_id: str | None
    metadata: dict[str, Any]
    ip: str | None
    context: dict[str, Any] | None
    created_at: datetime


@get("/audit-logs", guards=[signed_in], tags=["accounts"])
async def list_own(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    action: Annotated[str | None, Parameter(max_length=64)] = None,
) -> Page[AuditEntry]:
    """Return the events of the account and who caused them, the newest first."""
    account = request.account.id
    async with request.read() as tx:
        page = await paging.fetch(tx, audit.LIST, cursor, limit, account=account, action=action)
    return page.map(lambda row: _entry(row, account))


@get("/operator/audit-logs", guards=[operator], tags=["operator"])
async def list_all(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    account: UUID | None = None,
    actor: UUID | None = None,
    actor_type: Annotated[str | None, Parameter(max_length=16)] = None,
    action: Annotated[str | None, Parameter(max_length=64)] = None,
    since: Moment = None,
    until: Moment = None,
) -> Page[Row]:
    """Return the whole log, the newest first."""
    async with request.read() as tx:
        return await paging.fetch(
            tx,
            audit.SEARCH,
            cursor,
            limit,
            floor=audit.floor_of(moment("since", since)),
            account=account,
            actor=actor,
            actor_type=actor_type,
            action=action,
            since=moment("since", since),
            until=moment("until", until),
        )


def _entry(row: Row, account: UUID) -> AuditEntry:
    is_own = row.actor_id == account
    return to_record(
        AuditEntry,
        row,
        by=labels.by(row, account),
        ip=row.ip if is_own else None,
        context=row.said if is_own else None,
    )


ROUTES: list[Any] = [list_own, list_all]
