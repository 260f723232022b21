"""The rules of accounts."""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.accounts import queries, tokens
from vetrina.accounts.model import AccountRow, BadEmail, BadName, Credentials, SessionEnded, WrongCredentials
from vetrina.accounts.passwords import hasher
from vetrina.accounts.tokens import SessionToken, access_tokens
from vetrina.core import usage
from vetrina.core.db import Tx
from vetrina.core.ids import AccountId, new_id
from vetrina.core.services import Services


class Device(msgspec.Struct, frozen=True):
    """Where a session is used from."""

    user_agent: str | None
    ip: str | None


class Opened(msgspec.Struct, frozen=True):
    """A session that was just opened, with the only copy of its token."""

    account: AccountRow
    token: SessionToken


async def register(services: Services, *, email: str, password: str, name: str | None, kind: str, device: Device) -> Opened:
    """A new account and its first session. The free plan and the welcome tokens come with the row.

    Raises EmailTaken (409), BadEmail, BadName, WeakPassword (422), Busy (429).
    """
    address = normal(email)
    hashed = await services.part(hasher).hash(password)
    async with services.db.tx() as tx:
        account = await tx.one(
            queries.INSERT_ACCOUNT, id=new_id(), kind=kind, email=address, password_hash=hashed, name=(name or "").strip() or None
        )
        token = await _open(tx, account.id, device)
        await usage.record(tx, AccountId(account.id), "account_registered", {"kind": kind})
    return Opened(account, token)


async def sign_in(services: Services, *, email: str, password: str, kind: str, device: Device) -> Opened:
    """A new session. Raises WrongCredentials (401), whatever was wrong, in the same time; Busy (429)."""
    try:
        address = normal(email)
    except BadEmail:
        address = ""
    async with services.db.read() as tx:
        found = await tx.maybe(queries.CREDENTIALS, kind=kind, email=address)
    fits = await services.part(hasher).matches(found.password_hash if found else None, password)
    if not fits or found is None or not found.is_active:
        raise WrongCredentials
    async with services.db.tx() as tx:
        token = await _open(tx, found.id, device)
        await usage.record(tx, AccountId(found.id), "signed_in", {})
    return Opened(_public(found), token)


async def refresh(services: Services, text: str) -> tuple[SessionToken, str]:
    """The next refresh token of a session and its account's kind; the old one is spent.

    Raises SessionEnded (401). A spent token within 10 s of its rotation is refused only; later it
    counts as stolen and ends the session.
    """
    old = tokens.parse(text)
    if old is None:
        raise SessionEnded
    new = tokens.new_session(old.account_id, old.session_id)
    async with services.db.tx() as tx:
        found = await tx.maybe(queries.ROTATE, account=old.account_id, id=old.session_id, hash=old.hash, new_hash=new.hash)
    if found is None or found.outcome != "rotated" or found.kind is None:
        raise SessionEnded
    return new, found.kind


async def rename(tx: Tx, account: AccountId, name: str) -> None:
    """Another name, or none; a business keeps one. Raises BadName (422)."""
    wanted = name.strip()
    if len(wanted) > 120:
        raise BadName
    await tx.do(queries.RENAME, account=account, name=wanted or None)


async def check(tx: Tx, account: AccountId, session: UUID) -> None:
    """Raises SessionEnded (401) unless the session lives and its account is active.

    An access token holds by itself, for up to `tokens.ACCESS_SECONDS` after its session has ended: what moves
    credits and what shows who one is asks the database, here or in its own statement.
    """
    if await tx.maybe(queries.SESSION_LIVES, account=account, id=session) is None:
        raise SessionEnded


async def revoke(tx: Tx, account: AccountId, session: UUID, *, why: str = "signed out") -> None:
    """End one session."""
    await tx.do(queries.REVOKE, account=account, id=session, why=why)


async def end(tx: Tx, account: AccountId, session: UUID) -> None:
    """End one of one's own sessions; one that has ended already stays so. Raises NotFound (404)."""
    await tx.one(queries.SESSION_IS, account=account, id=session)
    await revoke(tx, account, session, why="revoked by its owner")


async def revoke_others(tx: Tx, account: AccountId, session: UUID) -> int:
    """End every other session; how many there were."""
    return await tx.do(queries.REVOKE_OTHERS, account=account, id=session)


def access_token(services: Services, token: SessionToken, kind: str) -> str:
    """A short access token for this session."""
    return services.part(access_tokens).issue(token.account_id, token.session_id, kind)


def normal(email: str) -> str:
    """The address as it is compared: trimmed, lower case. Raises BadEmail (422)."""
    address = email.strip().lower()
    local, _, domain = address.rpartition("@")
    plain = address.isprintable() and not any(c.isspace() for c in address)
    if not local or "." not in domain.strip(".") or not plain or "@" in local or len(address) > 254:
        raise BadEmail
    return address


async def _open(tx: Tx, account: UUID, device: Device) -> SessionToken:
    token = tokens.new_session(account, new_id())
    await tx.do(
        queries.INSERT_SESSION,
        account=account,
        id=token.session_id,
        hash=token.hash,
        user_agent=(device.user_agent or "")[:400] or None,
        ip=device.ip,
        days=tokens.SESSION_DAYS,
    )
    return token


def _public(found: Credentials) -> AccountRow:
    return AccountRow(found.id, found.kind, found.email, found.name, found.created_at)
