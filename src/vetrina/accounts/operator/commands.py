"""`vetrina account`: roles, disabling, sessions, business verification, domains and erasure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from cyclopts import App

from vetrina.accounts import identifiers
from vetrina.accounts.domains import actions as domains
from vetrina.accounts.domains import queries as domain_queries
from vetrina.accounts.model import Kind
from vetrina.accounts.operator import actions as accounts
from vetrina.accounts.privacy import erasures
from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.roles import actions as roles
from vetrina.accounts.roles import queries as role_queries
from vetrina.accounts.roles.actions import Role
from vetrina.core.audit import SYSTEM
from vetrina.core.command_line import logs, output
from vetrina.core.command_line.database_access import doing
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Invalid, NotFound
from vetrina.core.settings import environment as settings

app = App(name="account", help="Accounts: roles, disabling, signing out, verifying a business.")
Result = TypeVar("Result")


@app.command(name="grant-role")
def grant_role(email: str, role: Role, *, kind: Kind = "user") -> int:
    """Grant a role: superuser (everything, roles too), admin (the operator's pages), user, member.

    Args:
        email: The account's e-mail address.
        role: The role.
        kind: Which account of that address.
    """
    changed = with_account(email, kind, lambda tx, account: roles.grant(tx, account, role))
    print(f"{email} is {role} now." if changed else f"{email} is {role} already.")
    return 0


@app.command(name="revoke-role")
def revoke_role(email: str, role: Role, *, kind: Kind = "user") -> int:
    """Revoke a role. The last superuser stays one.

    Args:
        email: The account's e-mail address.
        role: The role.
        kind: Which account of that address.
    """
    changed = with_account(email, kind, lambda tx, account: roles.revoke(tx, account, role))
    print(f"{email} is no longer {role}." if changed else f"{email} is not {role}.")
    return 0


@app.command
def disable(email: str, why: str, *, kind: Kind = "user") -> int:
    """Disable an account and end its sessions.

    Args:
        email: The account's e-mail address.
        why: The reason, stored in the audit log.
        kind: Which account of that address.
    """
    with_account(email, kind, lambda tx, account: accounts.disable(tx, None, account, why=why))
    print(f"{email} is disabled, and signed out everywhere.")
    return 0


@app.command
def enable(email: str, *, kind: Kind = "user") -> int:
    """Enable a disabled account.

    Args:
        email: The account's e-mail address.
        kind: Which account of that address.
    """
    with_account(email, kind, lambda tx, account: accounts.enable(tx, None, account))
    print(f"{email} may sign in again.")
    return 0


@app.command(name="sign-out")
def sign_out(email: str, *, kind: Kind = "user") -> int:
    """End every session of an account.

    Args:
        email: The account's e-mail address.
        kind: Which account of that address.
    """
    count = with_account(email, kind, lambda tx, account: accounts.sign_out(tx, None, account))
    print(f"{count} sessions have ended." if count > 1 else "One session has ended." if count else "No session was open.")
    return 0


@app.command(name="confirm-email")
def confirm_email(email: str, *, kind: Kind = "user") -> int:
    """Confirm an account's address for its owner, where mail is not set up.

    Args:
        email: The account's e-mail address.
        kind: Which account of that address.
    """
    address = identifiers.normalize_email(email)
    with_account(email, kind, lambda tx, account: accounts.confirm_email(tx, account, kind, address))
    print(f"{address} is confirmed.")
    return 0


@app.command(name="verify-vendor")
def verify_vendor(email: str, *, kind: Kind = "vendor", undo: bool = False) -> int:
    """Verify a business under its present name; renaming it removes the verification.

    Args:
        email: The account's e-mail address.
        kind: Which account of that address; a user has a business profile if its owner added one.
        undo: Remove the verification.
    """
    with_account(email, kind, lambda tx, account: profiles.verify_vendor(tx, account, verified=not undo))
    print(f"The business of {email} is {'no longer ' if undo else ''}verified.")
    return 0


@app.command(name="domains")
def domains_of(email: str, *, kind: Kind = "vendor", json: bool = False) -> int:
    """List the domains of an account with their verification status and the last lookup's result.

    Args:
        email: The account's e-mail address.
        kind: Which account of that address.
        json: Print the result as JSON.
    """
    rows = with_account(email, kind, lambda tx, account: tx.fetch_all(domain_queries.DOMAINS, account=account))
    if json:
        output.as_json(rows)
    elif not rows:
        print(f"{email} has no domains.")
    for row in () if json else rows:
        print(f"{domains.display_domain(row.domain)}: {row.status}" + (f", last result: {row.answer}" if row.answer else ""))
    return 0


@app.command
def erase(email: str, *, confirm: str, kind: Kind = "user") -> int:
    """Erase an account at its owner's request. It is disabled at once; a worker deletes personal data.

    Args:
        email: The account's e-mail address.
        confirm: The same address once more.
        kind: Which account of that address.
    """
    if identifiers.normalize_email(confirm) != identifiers.normalize_email(email):
        raise Invalid("The two addresses are not the same. Nothing was done.")
    with_account(email, kind, lambda tx, account: erasures.begin(tx, AccountId(account), SYSTEM))
    print(f"{email} is closed. A worker erases its personal data.")
    return 0


def with_account(email: str, kind: str, work: Callable[[Tx, UUID], Awaitable[Result]]) -> Result:
    """Run `work` on the account with this address in one transaction. Raises NotFound, and what `work` raises."""
    configured = settings.read()
    logs.configure(configured.log_format, "account")

    async def run(tx: Tx) -> Result:
        account = await tx.fetch_optional(role_queries.BY_EMAIL, kind=kind, email=identifiers.normalize_email(email))
        if account is None:
            raise NotFound(f"There is no {kind} account with the address {email}.")
        return await work(tx, account)

    return asyncio.run(doing(configured, run))
