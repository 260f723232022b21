"""`vetrina account`: roles, from the operator's shell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar
from uuid import UUID

from cyclopts import App

from vetrina.accounts import identifiers, queries_roles, roles
from vetrina.accounts.roles import Role
from vetrina.commands.reach import doing
from vetrina.core import logs, settings
from vetrina.core.db import Tx
from vetrina.core.refusals import NotFound

app = App(name="account", help="Accounts: their roles, from the operator's shell.")
Kind = Literal["user", "vendor"]
Result = TypeVar("Result")


@app.command(name="grant-role")
def grant_role(email: str, role: Role, *, kind: Kind = "user") -> int:
    """Give an account a role: superuser (everything, roles too), admin (the operator's pages), user, member.

    Parameters
    ----------
    email
        The account's e-mail address.
    role
        The role.
    kind
        Which account of that address.
    """
    done = with_account(email, kind, lambda tx, account: roles.grant(tx, account, role))
    print(f"{email} is {role} now." if done else f"{email} is {role} already.")
    return 0


@app.command(name="revoke-role")
def revoke_role(email: str, role: Role, *, kind: Kind = "user") -> int:
    """Take a role away. The last superuser stays one.

    Parameters
    ----------
    email
        The account's e-mail address.
    role
        The role.
    kind
        Which account of that address.
    """
    done = with_account(email, kind, lambda tx, account: roles.revoke(tx, account, role))
    print(f"{email} is no longer {role}." if done else f"{email} is not {role}.")
    return 0


def with_account(email: str, kind: str, work: Callable[[Tx, UUID], Awaitable[Result]]) -> Result:
    """What `work` makes of the account with this address, in one transaction. Raises NotFound, or what `work` raises."""
    found = settings.read()
    logs.configure(found.log_format, "account")

    async def run(tx: Tx) -> Result:
        account = await tx.maybe(queries_roles.BY_EMAIL, kind=kind, email=identifiers.normal(email))
        if account is None:
            raise NotFound(f"There is no {kind} account with the address {email}.")
        return await work(tx, account)

    return asyncio.run(doing(found, run))
