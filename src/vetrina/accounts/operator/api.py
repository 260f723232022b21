"""JSON routes of account administration: search, disabling and enabling, roles, sessions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.params import Parameter, QueryParameter

from vetrina.accounts.model import Kind
from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.operator.model import ManagedAccount, State
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.roles.guards import operator, superuser
from vetrina.accounts.storage import actions as storage
from vetrina.accounts.storage.model import StorageLimit
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED


class Disabling(msgspec.Struct, forbid_unknown_fields=True):
    """The reason for disabling an account, stored in the audit log."""

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class OwnStorageLimit(msgspec.Struct, forbid_unknown_fields=True):
    """Megabytes that this account may store: null for the site's default, 0 for no limit."""

    own_mb: Annotated[int, msgspec.Meta(ge=0, le=100_000_000)] | None


class RoleGrant(msgspec.Struct, forbid_unknown_fields=True):
    """The role to grant."""

    role: Role


@get("/operator/accounts", guards=[operator], tags=["operator"])
async def search(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str, Parameter(max_length=254, description="An id, or a prefix of an address, phone, handle or name.")] = "",
    kind: Kind | None = None,
    role: Role | None = None,
    account_state: Annotated[State | None, QueryParameter(name="state")] = None,
) -> Page[ManagedAccount]:
    """Return accounts, the newest first."""
    async with request.read() as tx:
        return await accounts.search(
            tx,
            q,
            cursor,
            limit,
            kind=kind,
            role=role.value if role else None,
            state=account_state,
        )


@get("/operator/accounts/{account_id:uuid}", guards=[operator], tags=["operator"])
async def get_account(request: Request, account_id: UUID) -> ManagedAccount:
    """Return one account."""
    async with request.read() as tx:
        return await accounts.get_account(tx, account_id)


@post("/operator/accounts/{account_id:uuid}/disabling", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def disable(request: Request, account_id: UUID, data: Disabling) -> ManagedAccount:
    """Disable an account and end its sessions. 403 for one's own, and for an operator unless a superuser asks.

    A plan that renews by itself is cancelled at its period's end; what was paid stays. Enabling does not resume it.
    """
    async with request.tx() as tx:
        await accounts.disable(tx, request.account, account_id, why=data.why)
        return await accounts.get_account(tx, account_id)


@post("/operator/accounts/{account_id:uuid}/enabling", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def enable(request: Request, account_id: UUID) -> ManagedAccount:
    """Enable a disabled account."""
    async with request.tx() as tx:
        await accounts.enable(tx, request.account, account_id)
        return await accounts.get_account(tx, account_id)


@post("/operator/accounts/{account_id:uuid}/sessions/revocation", guards=[operator], status_code=204, tags=["operator"])
async def sign_out(request: Request, account_id: UUID) -> None:
    """End every session of an account."""
    async with request.tx() as tx:
        await accounts.sign_out(tx, request.account, account_id)


@post(
    "/operator/accounts/{account_id:uuid}/second-factor-removal",
    guards=[operator],
    status_code=202,
    tags=["operator"],
    opt=CONFIRMED,
)
async def request_second_factor_removal(request: Request, account_id: UUID) -> None:
    """Remove a lost second factor in three days. The owner is notified; signing in with it cancels the removal."""
    async with request.tx() as tx:
        await accounts.request_second_factor_removal(tx, request.services, request.account, account_id)


@delete("/operator/accounts/{account_id:uuid}/second-factor-removal", guards=[operator], tags=["operator"])
async def cancel_second_factor_removal(request: Request, account_id: UUID) -> None:
    """Cancel the removal of a second factor."""
    async with request.tx() as tx:
        await accounts.cancel_second_factor_removal(tx, request.account, account_id)


@get("/operator/accounts/{account_id:uuid}/storage", guards=[operator], tags=["operator"])
async def get_storage(request: Request, account_id: UUID) -> StorageLimit:
    """Return an account's stored bytes, its limit, and what an operator set for it."""
    async with request.read() as tx:
        return await storage.limit(tx, account_id)


@put("/operator/accounts/{account_id:uuid}/storage", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def set_storage_limit(request: Request, account_id: UUID, data: OwnStorageLimit) -> StorageLimit:
    """Set an account's own storage limit. The audit log stores the change."""
    async with request.tx() as tx:
        await storage.set_limit(tx, account_id, data.own_mb)
        return await storage.limit(tx, account_id)


@post("/operator/accounts/{account_id:uuid}/roles", guards=[superuser], tags=["operator"], opt=CONFIRMED)
async def grant_role(request: Request, account_id: UUID, data: RoleGrant) -> ManagedAccount:
    """Grant a role. For superusers."""
    async with request.tx() as tx:
        await accounts.grant_role(tx, account_id, data.role)
        return await accounts.get_account(tx, account_id)


@delete("/operator/accounts/{account_id:uuid}/roles/{role:str}", guards=[superuser], tags=["operator"], opt=CONFIRMED)
async def revoke_role(request: Request, account_id: UUID, role: Role) -> None:
    """Revoke a role. For superusers; the last superuser stays one (409)."""
    async with request.tx() as tx:
        await accounts.get_account(tx, account_id)
        await roles.revoke(tx, account_id, role)


ROUTES: list[Any] = [search, get_account, disable, enable, sign_out, request_second_factor_removal, cancel_second_factor_removal,
                     get_storage, set_storage_limit, grant_role, revoke_role]  # fmt: skip
