"""One's own part of the audit log, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import Parameter

from vetrina.accounts.audit_log import labels as history
from vetrina.core import audit
from vetrina.core.audit import Row
from vetrina.core.web import paging
from vetrina.core.web.paging import Cursor, Limit, Page
from vetrina.core.web.request import Request, signed_in


class AuditLog(msgspec.Struct):
    """What happened to an account. Where from, and in what words, is told of what one did oneself."""

    id: UUID
    action: str
    by: Literal["you", "operator", "vetrina", "somebody"]
    resource: str | None
    resource_id: str | None
    metadata: dict[str, Any]
    ip: str | None
    said: dict[str, Any] | None
    created_at: datetime


@get("/audit-logs", guards=[signed_in], tags=["accounts"])
async def logs(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    action: Annotated[str | None, Parameter(max_length=64)] = None,
) -> Page[AuditLog]:
    """What happened to the account and who did it, the newest first."""
    me = request.account.id
    async with request.read() as tx:
        rows = await tx.all(audit.LIST, account=me, before=paging.after(cursor), action=action, limit=limit + 1)
    return paging.page(rows, limit, lambda row: row.id, lambda row: _shown(row, me))


def _shown(row: Row, me: UUID) -> AuditLog:
    mine = row.actor_id == me
    return AuditLog(
        row.id,
        row.action,
        history.by(row, me),  # pyright: ignore[reportArgumentType]
        row.resource,
        row.resource_id,
        row.metadata,
        row.ip if mine else None,
        row.said if mine else None,
        row.created_at,
    )


ROUTES: list[Any] = [logs]
