"""Roles: superuser and admin run the house; user and member are marks that reports tell people apart by."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from vetrina.accounts import queries_roles
from vetrina.core import audit
from vetrina.core.audit import Actor
from vetrina.core.db import Tx
from vetrina.core.refusals import Refusal


class Role(StrEnum):
    """What an account may be; several at once."""

    SUPERUSER = "superuser"
    ADMIN = "admin"
    USER = "user"
    MEMBER = "member"


class LastSuperuser(Refusal):
    """This is the last superuser. Give somebody else the role first."""

    status = 409


async def grant(tx: Tx, actor: Actor, account: UUID, role: Role) -> bool:
    """Give `account` the role; False if it has it already."""
    if not await tx.do(queries_roles.GRANT, account=account, role=role.value):
        return False
    await audit.record(tx, actor, "role_granted", account, resource=("role", role.value))
    return True


async def revoke(tx: Tx, actor: Actor, account: UUID, role: Role) -> bool:
    """Take the role away; False if the account has it not. Raises LastSuperuser (409)."""
    if await tx.maybe(queries_roles.REVOKE, account=account, role=role.value) is None:
        if role is Role.SUPERUSER and role in await tx.all(queries_roles.ROLES, account=account):
            raise LastSuperuser
        return False
    await audit.record(tx, actor, "role_revoked", account, resource=("role", role.value))
    return True
