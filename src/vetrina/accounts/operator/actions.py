"""Account administration: find an account, disable and enable it, grant roles, end sessions."""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import OPERATORS, Kind
from vetrina.accounts.operator import queries
from vetrina.accounts.operator.model import CannotDisableSelf, ManagedAccount, SuperuserRequired
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles.actions import Role
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.verification import actions as verification
from vetrina.core import audit
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, read_id
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.core.web.request import Principal


async def search(
    tx: Tx,
    text: str,
    cursor: str | None,
    limit: int,
    *,
    kind: str | None = None,
    role: str | None = None,
    state: str | None = None,
) -> Page[ManagedAccount]:
    """Return accounts, the newest first. `text` is an id, or a prefix of an e-mail address, phone, handle or name."""
    prefix = text.strip().lower().removeprefix("@")
    account = read_id(prefix)
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await paging.fetch(
        tx,
        queries.SEARCH,
        cursor,
        limit,
        begins=f"{escaped}%" if escaped and account is None else None,
        id=account,
        kind=kind,
        role=role,
        state=state,
    )


async def get_account(tx: Tx, account_id: UUID) -> ManagedAccount:
    """Return one account. Raises NotFound (404)."""
    page = await search(tx, str(account_id), None, 1)
    if not page.items:
        raise NotFound
    return page.items[0]


async def disable(tx: Tx, by: Principal | None, account_id: UUID, *, why: str) -> None:
    """Disable an account and end its sessions, in every process. Does nothing to a disabled one.

    `by` is None for the command line. Raises NotFound (404), CannotDisableSelf and SuperuserRequired (403).
    """
    if by is not None and by.id == account_id:
        raise CannotDisableSelf
    await require_manageable(tx, by, account_id)
    if await tx.fetch_optional(queries.SET_ACTIVE, account=account_id, active=False) is not None:
        await audit.record(tx, "account_disabled", account_id, resource=("account", account_id), said={"why": why.strip()})


async def enable(tx: Tx, by: Principal | None, account_id: UUID) -> None:
    """Enable a disabled account. Raises NotFound (404), SuperuserRequired (403)."""
    await require_manageable(tx, by, account_id)
    if await tx.fetch_optional(queries.SET_ACTIVE, account=account_id, active=True) is not None:
        await audit.record(tx, "account_enabled", account_id, resource=("account", account_id))


async def sign_out(tx: Tx, by: Principal | None, account_id: UUID) -> int:
    """End every session of an account and return their number. Raises NotFound (404), SuperuserRequired (403)."""
    await require_manageable(tx, by, account_id)
    return await sessions.revoke_all(tx, account_id, why="ended by an operator")


async def grant_role(tx: Tx, account_id: UUID, role: Role) -> None:
    """Grant a role; the route's guard lets only superusers do so. Raises NotFound (404)."""
    await get_account(tx, account_id)
    await roles.grant(tx, account_id, role)


async def request_second_factor_removal(tx: Tx, services: Services, by: Principal, account_id: UUID) -> None:
    """Remove a lost second factor after the waiting period.

    Raises NotFound (404), SuperuserRequired (403), SecondFactorDisabled (409).
    """
    await require_manageable(tx, by, account_id)
    await second_factor.request_removal(tx, services, AccountId(account_id))


async def cancel_second_factor_removal(tx: Tx, by: Principal, account_id: UUID) -> None:
    """Cancel the removal. Raises NotFound (404), SuperuserRequired (403)."""
    await require_manageable(tx, by, account_id)
    await second_factor.cancel_removal(tx, AccountId(account_id))


async def confirm_email(tx: Tx, account_id: UUID, kind: Kind, email: str) -> None:
    """Confirm an account's address for its owner, where mail is not set up."""
    await verification.confirm_identifier(tx, Identifier("email", email), kind=kind, account=account_id)


async def require_manageable(tx: Tx, by: Principal | None, account_id: UUID) -> ManagedAccount:
    """Return an account that `by` may act on: of operators only superusers. Raises NotFound (404), SuperuserRequired (403)."""
    account = await get_account(tx, account_id)
    if by is not None and "superuser" not in by.roles and not OPERATORS.isdisjoint(account.roles):
        raise SuperuserRequired
    return account
