"""The operator's calls on accounts: search, disable and enable, roles, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import Parameter, QueryParameter

from vetrina.accounts.model import OperatedAccount
from vetrina.accounts.operator import actions as operators
from vetrina.accounts.operator.actions import Kind, State
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.roles.guards import operator, superuser
from vetrina.core.web import paging
from vetrina.core.web.paging import Cursor, Limit, Page
from vetrina.core.web.request import Request

Why = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class Disabling(msgspec.Struct, forbid_unknown_fields=True):
    """Why an account is disabled; kept in the audit log."""

    why: Why


class Granting(msgspec.Struct, forbid_unknown_fields=True):
    """The role to give."""

    role: Role


class Operated(msgspec.Struct):
    """An account as an operator sees it."""

    id: UUID
    kind: str
    email: str | None
    phone: str | None
    handle: str | None
    name: str | None
    state: str
    roles: list[str]
    last_login_at: datetime | None
    created_at: datetime


@get("/operator/accounts", guards=[operator], tags=["operator"])
async def search(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str, Parameter(max_length=254, description="An id, or how an address, phone, handle or name begins.")] = "",
    kind: Kind | None = None,
    role: Role | None = None,
    standing: Annotated[State | None, QueryParameter(name="state")] = None,
) -> Page[Operated]:
    """Accounts, the newest first."""
    async with request.read() as tx:
        rows = await operators.search(
            tx, q, kind=kind, role=role.value if role else None, state=standing, before=paging.after(cursor), limit=limit + 1
        )
    return paging.page(rows, limit, lambda row: row.id, _shown)


@get("/operator/accounts/{account_id:uuid}", guards=[operator], tags=["operator"])
async def account(request: Request, account_id: UUID) -> Operated:
    """One account."""
    async with request.read() as tx:
        return _shown(await operators.account(tx, account_id))


@post("/operator/accounts/{account_id:uuid}/disabling", guards=[operator], tags=["operator"])
async def disable(request: Request, account_id: UUID, data: Disabling) -> Operated:
    """Disable an account. Its sessions end at once. 403 for oneself, and for an operator unless a superuser asks."""
    async with request.tx() as tx:
        await operators.disable(tx, request.account, account_id, why=data.why)
        return _shown(await operators.account(tx, account_id))


@post("/operator/accounts/{account_id:uuid}/enabling", guards=[operator], tags=["operator"])
async def enable(request: Request, account_id: UUID) -> Operated:
    """Let a disabled account sign in again."""
    async with request.tx() as tx:
        await operators.enable(tx, request.account, account_id)
        return _shown(await operators.account(tx, account_id))


@post("/operator/accounts/{account_id:uuid}/sessions/revocation", guards=[operator], status_code=204, tags=["operator"])
async def sign_out(request: Request, account_id: UUID) -> None:
    """End every session of an account."""
    async with request.tx() as tx:
        await operators.sign_out(tx, request.account, account_id)


@post("/operator/accounts/{account_id:uuid}/roles", guards=[superuser], tags=["operator"])
async def grant(request: Request, account_id: UUID, data: Granting) -> Operated:
    """Give a role. For superusers."""
    async with request.tx() as tx:
        await operators.grant(tx, account_id, data.role)
        return _shown(await operators.account(tx, account_id))


@delete("/operator/accounts/{account_id:uuid}/roles/{role:str}", guards=[superuser], tags=["operator"])
async def revoke(request: Request, account_id: UUID, role: Role) -> None:
    """Take a role away. For superusers; the last one stays one (409)."""
    async with request.tx() as tx:
        await operators.account(tx, account_id)
        await roles.revoke(tx, account_id, role)


def _shown(row: OperatedAccount) -> Operated:
    return Operated(
        row.id, row.kind, row.email, row.phone, row.handle, row.name, row.state, row.roles, row.last_login_at, row.created_at
    )


ROUTES: list[Any] = [search, account, disable, enable, sign_out, grant, revoke]
