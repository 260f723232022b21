"""Session actions: open, refresh, check and revoke."""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.accounts import queries as account_queries
from vetrina.accounts.model import AccountRow, Device, SessionEnded, WrongCredentials
from vetrina.accounts.sessions import challenges, queries, tokens
from vetrina.accounts.sessions.tokens import AccessTokens, SessionToken
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.services import Services


class NewSession(msgspec.Struct, frozen=True):
    """A session that was just opened, with the only copy of its token."""

    account: AccountRow
    token: SessionToken


async def open_session(
    services: Services,
    account: AccountId,
    device: Device,
    *,
    fingerprint: str | None = None,
    second_factor_passed: bool = False,
) -> NewSession:
    """Open a session for an account whose sign-in has succeeded.

    `fingerprint` is of the password that was checked: the session is opened only while it is still the account's.
    Raises WrongCredentials (401) for a disabled or deleted account, SecondFactorNeeded (401) unless
    `second_factor_passed`.
    """
    async with services.db.tx() as tx:
        row = await tx.fetch_optional(queries.SIGN_IN_ACCOUNT, account=account)
        if row is None or not row.is_active or fingerprint not in {None, row.fingerprint}:
            raise WrongCredentials
        if row.second_factor and not second_factor_passed:
            raise challenges.second_factor_needed(services, row)
        token = await insert_session(tx, account, device)
        await usage.record(tx, account, "signed_in", {})
        return NewSession(await tx.fetch_one(account_queries.ACCOUNT, account=account), token)


async def insert_session(tx: Tx, account: UUID, device: Device) -> SessionToken:
    """Write a session's row and return its token, without checking the account.

    A browser's token is its cookie and no refresh token; a program's is a refresh token and no cookie.
    """
    token = tokens.new_token(account, new_id())
    await tx.execute(
        queries.INSERT_SESSION,
        account=account,
        id=token.session_id,
        client=device.client,
        hash=token.hash,
        user_agent=(device.user_agent or "")[:400] or None,
        ip=device.ip,
        days=tokens.SESSION_DAYS,
    )
    return token


async def refresh(services: Services, text: str, device: Device) -> tuple[SessionToken, str]:
    """Return the next refresh token of a session and its account's kind; the old token is spent.

    Raises SessionEnded (401). A spent token that comes back within 10 s of its rotation is refused only; later it
    counts as stolen and ends the session.
    """
    old = tokens.parse(text)
    if old is None:
        raise SessionEnded
    new = tokens.new_token(old.account_id, old.session_id)
    async with services.db.tx() as tx:
        rotation = await tx.fetch_optional(
            queries.ROTATE_TOKEN,
            account=old.account_id,
            id=old.session_id,
            hash=old.hash,
            new_hash=new.hash,
            ip=device.ip,
            user_agent=(device.user_agent or "")[:400] or None,
        )
    if rotation is None or rotation.outcome != "rotated" or rotation.kind is None:
        raise SessionEnded
    return new, rotation.kind


async def require_live(tx: Tx, account: AccountId, session: UUID) -> None:
    """Raise SessionEnded (401) unless the session is live and its account active.

    An access token is valid by itself for up to `tokens.ACCESS_SECONDS`, also after its session has ended: what moves
    credits and what shows personal data asks the database, here or in its own statement.
    """
    if await tx.fetch_optional(queries.LIVE_SESSION, account=account, id=session) is None:
        raise SessionEnded


async def revoke(tx: Tx, account: AccountId, session: UUID, *, why: str = "signed out") -> None:
    """End a session; does nothing to one that has ended."""
    await tx.execute(queries.REVOKE_SESSION, account=account, id=session, why=why)


async def revoke_own(tx: Tx, account: AccountId, session: UUID) -> None:
    """End a session of the account at its owner's request. Raises NotFound (404)."""
    await tx.fetch_one(queries.OWN_SESSION, account=account, id=session)
    await revoke(tx, account, session, why="revoked by its owner")


async def revoke_others(tx: Tx, account: AccountId, session: UUID) -> int:
    """End every other session; return their number."""
    return await tx.execute(queries.REVOKE_OTHERS, account=account, id=session)


async def revoke_all(tx: Tx, account: UUID, *, why: str) -> int:
    """End every session of an account; return their number."""
    return await tx.execute(queries.REVOKE_ALL, account=account, why=why)


def access_token(services: Services, token: SessionToken, kind: str) -> str:
    """Return a short-lived access token of the session."""
    return services.get(AccessTokens).issue(token.account_id, token.session_id, kind)
