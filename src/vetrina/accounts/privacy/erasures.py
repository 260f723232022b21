"""Erasure of an account: a job deletes its personal data everywhere; ledger and audit log stay under its id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from vetrina.accounts.model import Caller, WrongPassword
from vetrina.accounts.passwords import Hasher
from vetrina.accounts.privacy import queries
from vetrina.accounts.roles import queries as role_queries
from vetrina.accounts.roles.actions import LastSuperuser
from vetrina.accounts.sessions import failures
from vetrina.core import audit, personal_data
from vetrina.core.audit import Actor
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Forbidden, Refusal
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services

log = structlog.get_logger("vetrina.accounts")

PHRASE = "erase my account"
RECENT_SIGN_IN = timedelta(minutes=15)
"""Maximum age of the session with which an account without a password is erased."""


class NotConfirmed(Refusal):
    """Type the words exactly as shown."""

    status = 422
    field = "confirmation"


class SignInAgain(Forbidden):
    """Sign out and in again first: this account has no password to confirm with."""


async def request_erasure(
    services: Services, account: AccountId, session: UUID, *, confirmation: str, password: str, caller: Caller
) -> None:
    """Disable the account, end its sessions and enqueue its erasure.

    Raises NotConfirmed (422), WrongPassword, SignInAgain (403), LastSuperuser (409), Busy and RateLimited (429).
    """
    if confirmation.strip().lower() != PHRASE:
        raise NotConfirmed
    async with services.db.read() as tx:
        proof = await tx.fetch_one(queries.OWNER_PROOF, account=account, session=session)
    if proof.password_hash is not None:
        failure = await failures.reserve(services, f"account {account}")
        if not await services.get(Hasher).matches(proof.password_hash, password):
            raise WrongPassword
        await failures.give_back(services, failure)
    elif proof.signed_in_at is None or datetime.now(UTC) - proof.signed_in_at > RECENT_SIGN_IN:
        raise SignInAgain
    async with services.db.tx() as tx:
        await begin(tx, account, caller.actor)


async def begin(tx: Tx, account: AccountId, actor: Actor) -> None:
    """Disable the account and enqueue its erasure. Raises LastSuperuser (409)."""
    current_roles = await tx.fetch_all(role_queries.ROLES, account=account)
    if "superuser" in current_roles and await tx.fetch_optional(role_queries.REVOKE, account=account, role="superuser") is None:
        raise LastSuperuser
    await audit.set_actor(tx, actor)
    if await tx.fetch_optional(queries.BEGIN_ERASURE, account=account) is None:
        return
    await _enqueue(tx, account)
    await audit.record(tx, "erasure_asked", account, resource=("account", account))


async def erase(services: Services, account: AccountId) -> None:
    """Delete the personal data of every module, upper modules first. Can be repeated after it was interrupted anywhere."""
    parts = personal_data.erasure_order(services.modules)
    for part in parts:
        if part.before is not None:
            await part.before(services, account)
    for part in parts[:-1]:
        async with services.db.tx() as tx:
            await _erase(tx, part, account)
    # The bytes are deleted before the row that marks the erasure as finished.
    for folder in (str(account), f"exports/{account}"):
        await services.storage.delete([key async for key in services.storage.list(folder)])
    async with services.db.tx() as tx:
        erased_before = await tx.fetch_optional(queries.ERASED, account=account)
        await _erase(tx, parts[-1], account)
        if erased_before is None:
            await audit.record(tx, "account_erased", account, resource=("account", account))
        await tx.execute(queries.FINISH_ERASURE, account=account)
    # Deletes the context of earlier audit rows; the deletions above wrote theirs at commit without one.
    async with services.db.tx() as tx:
        await tx.execute(audit.FORGET, account=account)
    log.info("account erased", account=str(account))


async def resume(tx: Tx) -> int:
    """Enqueue again erasures that have not finished within ten minutes; return their number."""
    unfinished = await tx.fetch_all(queries.UNFINISHED_ERASURES)
    for account in unfinished:
        await _enqueue(tx, AccountId(account))
    return len(unfinished)


async def _enqueue(tx: Tx, account: AccountId) -> None:
    await enqueue(tx, "accounts.erase", queue="core", lock=f"erase {account}", account=str(account))


async def _erase(tx: Tx, part: personal_data.PersonalData, account: AccountId) -> None:
    for table in part.tables:
        if table.erase is not None:
            await tx.execute(table.erase, account=account)
