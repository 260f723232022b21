"""Roles: superuser and admin operate the site; user and member are labels that reports group accounts by."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from vetrina.accounts.roles import queries
from vetrina.core.database.connection import Tx
from vetrina.core.errors import Refusal


class Role(StrEnum):
    """A role; an account may have several."""

    SUPERUSER = "superuser"
    ADMIN = "admin"
    USER = "user"
    MEMBER = "member"


class LastSuperuser(Refusal):
    """This is the last superuser. Grant the role to another account first."""

    status = 409


async def grant(tx: Tx, account: UUID, role: Role) -> bool:
    """Grant the role and return whether the account did not have it. The table's trigger writes the audit log."""
    return bool(await tx.execute(queries.GRANT, account=account, role=role.value))


async def revoke(tx: Tx, account: UUID, role: Role) -> bool:
    """Revoke the role and return whether the account had it. Raises LastSuperuser (409)."""
    if await tx.fetch_optional(queries.REVOKE, account=account, role=role.value) is None:
        if role is Role.SUPERUSER and role in await tx.fetch_all(queries.ROLES, account=account):
            raise LastSuperuser
        return False
    return True
