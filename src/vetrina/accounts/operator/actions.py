"""What an operator does: find an account, disable and enable it, give and take roles, end sessions."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from vetrina.accounts import queries
from vetrina.accounts.model import OPERATORS, OperatedAccount
from vetrina.accounts.operator import queries as queries_operators
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.core import audit
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import Forbidden, NotFound
from vetrina.core.web import paging
from vetrina.core.web.request import Principal

Kind = Literal["user", "vendor"]
State = Literal["active", "disabled", "erased"]


class SuperuserRequired(Forbidden):
    """Only a superuser can do this to an operator."""


class CannotDisableSelf(Forbidden):
    """Nobody can disable themselves; ask another operator."""


async def search(
    tx: Tx,
    text: str,
    *,
    kind: str | None = None,
    role: str | None = None,
    state: str | None = None,
    before: UUID = paging.FIRST,
    limit: int = 50,
) -> list[OperatedAccount]:
    """Accounts, the newest first. `text` is an id, or how an e-mail address, phone, handle or name begins."""
    wanted = text.strip().lower().removeprefix("@")
    account = read_id(wanted)
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await tx.all(
        queries_operators.SEARCH,
        begins=f"{escaped}%" if escaped and account is None else None,
        id=account,
        kind=kind,
        role=role,
        state=state,
        before=before,
        limit=limit,
    )


async def account(tx: Tx, account_id: UUID) -> OperatedAccount:
    """One account. Raises NotFound (404)."""
    found = await search(tx, str(account_id), limit=1)
    if not found:
        raise NotFound
    return found[0]


async def disable(tx: Tx, by: Principal | None, account_id: UUID, *, why: str) -> None:
    """Disable an account: its sessions end with it, in every process. Does nothing to one that is disabled.

    `by` is None for the operator's shell. Raises NotFound (404), CannotDisableSelf and SuperuserRequired (403).
    """
    if by is not None and by.id == account_id:
        raise CannotDisableSelf
    await _touchable(tx, by, account_id)
    if await tx.maybe(queries_operators.SET_ACTIVE, account=account_id, active=False) is not None:
        await audit.record(tx, "account_disabled", account_id, resource=("account", account_id), said={"why": why.strip()})


async def enable(tx: Tx, by: Principal | None, account_id: UUID) -> None:
    """Let it sign in again. Raises NotFound (404), SuperuserRequired (403)."""
    await _touchable(tx, by, account_id)
    if await tx.maybe(queries_operators.SET_ACTIVE, account=account_id, active=True) is not None:
        await audit.record(tx, "account_enabled", account_id, resource=("account", account_id))


async def sign_out(tx: Tx, by: Principal | None, account_id: UUID) -> int:
    """End every session of an account; how many there were. Raises NotFound (404), SuperuserRequired (403)."""
    await _touchable(tx, by, account_id)
    return await tx.do(queries.REVOKE_ALL, account=account_id, why="ended by an operator")


async def grant(tx: Tx, account_id: UUID, role: Role) -> None:
    """Give a role; only superusers may, which their route's guard sees to. Raises NotFound (404)."""
    await account(tx, account_id)
    await roles.grant(tx, account_id, role)


async def _touchable(tx: Tx, by: Principal | None, account_id: UUID) -> None:
    found = await account(tx, account_id)
    if by is not None and "superuser" not in by.roles and not OPERATORS.isdisjoint(found.roles):
        raise SuperuserRequired
