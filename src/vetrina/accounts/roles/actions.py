"""Roles: superuser and admin run the house; user and member are marks that reports tell people apart by."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from vetrina.accounts.roles import queries as queries_roles
from vetrina.core.database.connection import Tx
from vetrina.core.errors import Refusal


class Role(StrEnum):
    """What an account may be; several at once."""

    SUPERUSER = "superuser"
    ADMIN = "admin"
    USER = "user"
    MEMBER = "member"


class LastSuperuser(Refusal):
    """This is the last superuser. Give somebody else the role first."""

    status = 409


async def grant(tx: Tx, account: UUID, role: Role) -> bool:
    """Give `account` the role; False if it has it already. The table's trigger writes it into the audit log."""
    return bool(await tx.do(queries_roles.GRANT, account=account, role=role.value))


async def revoke(tx: Tx, account: UUID, role: Role) -> bool:
    """Take the role away; False if the account has it not. Raises LastSuperuser (409)."""
    if await tx.maybe(queries_roles.REVOKE, account=account, role=role.value) is None:
        if role is Role.SUPERUSER and role in await tx.all(queries_roles.ROLES, account=account):
            raise LastSuperuser
        return False
    return True
