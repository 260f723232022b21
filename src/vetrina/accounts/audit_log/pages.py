"""Pages of the audit log: an account's own entries, and all of them for operators, also as CSV."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.response import Stream

from vetrina.accounts.audit_log import labels
from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.operator import queries as operator_queries
from vetrina.accounts.roles.guards import operator
from vetrina.core import audit
from vetrina.core.audit import SITE_CHAIN, Row
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.paging import Page
from vetrina.core.services import Services
from vetrina.core.web import csv, pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.request import Request, signed_in
from vetrina.web.i18n import N_, say

PAGE_SIZE = 40
CHUNK = 1000
"""Rows read at a time for the CSV, so that no connection is held for a slow reader."""
COLUMNS = ["time", "action", "account", "actor_type", "actor", "resource", "resource_id", "ip", "metadata", "context", "id"]
BY = {"you": N_("You"), "operator": N_("An operator"), "vetrina": "Vetrina", "other_user": N_("Another user")}
ACTORS = [
    {"value": "user", "title": N_("A user")},
    {"value": "vendor", "title": N_("A vendor")},
    {"value": "admin", "title": N_("An operator")},
    {"value": "system", "title": "Vetrina"},
]


@get("/settings/audit", guards=[signed_in], include_in_schema=False)
async def show_own(request: Request, cursor: Cursor = None) -> Response[str]:
    """Show the events of the account and who caused them."""
    account = request.account.id
    async with request.read() as tx:
        page = await paging.fetch(tx, audit.LIST, cursor, PAGE_SIZE, account=account, action=None)
    modules = request.services.modules
    return pages.render(
        request,
        "accounts/audit_log/history.html",
        nav="account",
        rows=[
            {
                "title": labels.title(modules, row.action),
                "by": say(BY[labels.by(row, account)]),
                "ip": row.ip if row.actor_id == account else None,
                "remark": labels.remark(modules, row) if row.actor_id == account or not row.said else "",
                "at": row.created_at,
            }
            for row in page.items
        ],
        older=page.older("/settings/audit"),
    )


class Filters(msgspec.Struct, frozen=True):
    """Filters of the operators' page. Days are whole days in UTC."""

    account: str = ""
    action: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> dict[str, str]:
        """Return the filters that are set, as query parameters."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}


@get("/operator/audit", guards=[operator], include_in_schema=False)
async def show_all(
    request: Request,
    account: str = "",
    action: str = "",
    actor: str = "",
    since: str = "",
    until: str = "",
    cursor: Cursor = None,
) -> Response[str]:
    """Show the log by account, action, actor and day."""
    filters = Filters(account[:254], action[:64], actor[:16], since[:10], until[:10])
    async with request.read() as tx:
        page = await _page(tx, filters, cursor, PAGE_SIZE)
        actions = await tx.fetch_all(audit.ACTIONS)
        names = await _names(tx, page.items)
    modules = request.services.modules
    return pages.render(
        request,
        "accounts/audit_log/operator.html",
        nav="operator",
        filters=msgspec.structs.asdict(filters),
        actions=[{"value": name, "title": labels.title(modules, name)} for name in actions],
        actors=[{**actor, "title": say(actor["title"])} for actor in ACTORS],
        rows=[
            {
                "title": labels.title(modules, row.action),
                "remark": labels.remark(modules, row),
                "account_id": row.account_id if row.account_id != SITE_CHAIN else None,
                "account": names.get(row.account_id, say("the site")),
                "actor_id": row.actor_id,
                "actor": names.get(row.actor_id, "Vetrina") if row.actor_id else "Vetrina",
                "ip": row.ip,
                "at": row.created_at,
            }
            for row in page.items
        ],
        older=f"/operator/audit?{urlencode({**filters.query, 'cursor': page.next_cursor})}" if page.next_cursor else None,
        csv_href=f"/operator/audit.csv?{urlencode(filters.query)}",
    )


@get("/operator/audit.csv", guards=[operator], include_in_schema=False)
async def download_csv(
    request: Request, account: str = "", action: str = "", actor: str = "", since: str = "", until: str = ""
) -> Stream:
    """Every row of the filter, the newest first."""
    filters = Filters(account[:254], action[:64], actor[:16], since[:10], until[:10])
    return Stream(
        _lines(request.services, filters),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"},
    )


async def _lines(services: Services, filters: Filters) -> AsyncGenerator[str]:
    yield csv.lines([COLUMNS])
    cursor: str | None = None
    while True:
        async with services.db.read() as tx:
            page = await _page(tx, filters, cursor, CHUNK)
        if page.items:
            yield csv.lines([_cells(row) for row in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return


async def _page(tx: Tx, filters: Filters, cursor: str | None, limit: int) -> Page[Row]:
    account: UUID | None = None
    if filters.account:
        matches = await accounts.search(tx, filters.account, None, 1)
        if not matches.items:
            return Page([], None)
        account = matches.items[0].id
    since, until = _day(filters.since), _day(filters.until)
    return await paging.fetch(
        tx,
        audit.SEARCH,
        cursor,
        limit,
        floor=audit.floor_of(since),
        account=account,
        actor=None,
        actor_type=filters.actor or None,
        action=filters.action or None,
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


async def _names(tx: Tx, rows: list[Row]) -> dict[UUID, str]:
    ids = {row.account_id for row in rows} | {row.actor_id for row in rows if row.actor_id}
    return {label.id: label.name for label in await tx.fetch_all(operator_queries.NAMES, ids=list(ids))}


def _cells(row: Row) -> list[str]:
    personal = [row.ip or "", msgspec.json.encode(row.said).decode() if row.said else ""]
    texts = [row.action, str(row.account_id), row.actor_type, str(row.actor_id or ""), row.resource or "", row.resource_id or ""]
    cells = [*texts, personal[0], msgspec.json.encode(row.metadata).decode(), personal[1]]
    return [row.created_at.isoformat(), *map(csv.harmless, cells), str(row.id)]


def _day(text: str) -> datetime | None:
    """Return midnight (UTC) of a day; None for text that is not one."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


ROUTES: list[Any] = [show_own, show_all, download_csv]
