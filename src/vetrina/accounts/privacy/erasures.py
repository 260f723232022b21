"""Erasure: what is personal of an account goes everywhere, by a job; ledger and audit stay, under its bare id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from vetrina.accounts.passwords import hasher
from vetrina.accounts.privacy import queries
from vetrina.accounts.roles import queries as queries_roles
from vetrina.accounts.roles.actions import LastSuperuser
from vetrina.core import audit
from vetrina.core import personal_data as privacy
from vetrina.core.audit import Actor
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Forbidden, Refusal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.rate_limits import limits
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.accounts")

PHRASE = "erase my account"
FRESH = timedelta(minutes=15)
"""How lately an account without a password must have signed in."""


class NotConfirmed(Refusal):
    """Type the words exactly as they stand there."""

    status = 422
    field = "confirmation"


class WrongPassword(Refusal):
    """This is not the account's password."""

    status = 403
    field = "password"


class SignInAgain(Forbidden):
    """For this, sign out and in again first: there is no password to ask for."""


async def ask(services: Services, account: AccountId, session: UUID, *, confirmation: str, password: str, actor: Actor) -> None:
    """Disable the account, end its sessions and let a job erase it.

    Raises NotConfirmed (422), WrongPassword, SignInAgain (403), LastSuperuser (409), Busy and RateLimited (429).
    """
    if confirmation.strip().lower() != PHRASE:
        raise NotConfirmed
    async with services.db.read() as tx:
        known = await tx.one(queries.SECRET, account=account, session=session)
    if known.password_hash is not None:
        await services.part(limits).spend("sign_in_target", f"erasure {account}")
        if not await services.part(hasher).matches(known.password_hash, password):
            raise WrongPassword
    elif known.signed_in_at is None or datetime.now(UTC) - known.signed_in_at > FRESH:
        raise SignInAgain
    async with services.db.tx() as tx:
        await begin(tx, account, actor)


async def begin(tx: Tx, account: AccountId, actor: Actor) -> None:
    """Disable the account and enqueue its erasure. Raises LastSuperuser (409)."""
    held = await tx.all(queries_roles.ROLES, account=account)
    if "superuser" in held and await tx.maybe(queries_roles.REVOKE, account=account, role="superuser") is None:
        raise LastSuperuser
    await audit.acting(tx, actor)
    if await tx.maybe(queries.ASK_ERASURE, account=account) is None:
        return
    await _enqueue(tx, account)
    await audit.record(tx, "erasure_asked", account, resource=("account", account))


async def erase(services: Services, account: AccountId) -> None:
    """All of it, from the top of the stair down. Runs again harmlessly wherever it was killed."""
    parts = privacy.erasure_order(services.modules)
    for part in parts:
        if part.before is not None:
            await part.before(services, account)
    for part in parts[:-1]:
        async with services.db.tx() as tx:
            await _erase(tx, part, account)
    # The bytes before the row that tells that all is done.
    for folder in (str(account), f"exports/{account}"):
        await services.storage.delete([key async for key in services.storage.list(folder)])
    async with services.db.tx() as tx:
        already = await tx.maybe(queries.ERASED, account=account)
        await _erase(tx, parts[-1], account)
        if already is None:
            await audit.record(tx, "account_erased", account, resource=("account", account))
        await tx.do(queries.FINISH_ERASURE, account=account)
    # What the deletions above wrote at their commit says where nobody acted from; what was said before goes now.
    async with services.db.tx() as tx:
        await tx.do(audit.FORGET, account=account)
    log.info("an account was erased", account=str(account))


async def go_on(tx: Tx) -> int:
    """Enqueue again what was asked for ten minutes ago and is not done; how many there are."""
    waiting = await tx.all(queries.UNFINISHED)
    for account in waiting:
        await _enqueue(tx, AccountId(account))
    return len(waiting)


async def _enqueue(tx: Tx, account: AccountId) -> None:
    await enqueue(tx, "accounts.erase", queue="core", lock=f"erase {account}", account=str(account))


async def _erase(tx: Tx, part: privacy.Part, account: AccountId) -> None:
    for table in part.tables:
        if table.erase is not None:
            await tx.do(table.erase, account=account)
