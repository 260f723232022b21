"""The rules of accounts."""

from __future__ import annotations

import contextlib
from uuid import UUID

import msgspec

from vetrina.accounts import identifiers, queries
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import AccountRow, EmailTaken, InvalidEmail, InvalidName, SessionEnded, WrongCredentials
from vetrina.accounts.notifications import actions as notices
from vetrina.accounts.passwords import hasher
from vetrina.accounts.sessions import challenges, tokens
from vetrina.accounts.sessions.tokens import SessionToken, access_tokens
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification import queries as queries_codes
from vetrina.accounts.verification.actions import Kind, Language, Purpose
from vetrina.accounts.verification.model import InvalidPhone, PhoneTaken, WrongCode
from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.rate_limits import RateLimited, limits
from vetrina.core.services import Services


class Device(msgspec.Struct, frozen=True):
    """Where a session is used from."""

    user_agent: str | None
    ip: str | None


class Opened(msgspec.Struct, frozen=True):
    """A session that was just opened, with the only copy of its token."""

    account: AccountRow
    token: SessionToken


async def register(
    services: Services,
    *,
    email: str | None,
    password: str,
    name: str | None,
    kind: Kind,
    device: Device,
    phone: str | None = None,
    language: Language = "en",
) -> Opened:
    """A new account and its first session; a code goes to the address, the phone, or both.

    The free plan and the welcome tokens come with the row. Raises EmailTaken, PhoneTaken (409), OneIdentifier, InvalidEmail,
    InvalidPhone, InvalidName, WeakPassword (422), Busy, RateLimited (429).
    """
    known = identifiers.given(email, phone, services.settings.phone_region)
    await services.part(limits).spend("registrations", device.ip or "unknown")
    hashed = await services.part(hasher).hash(password)
    written: list[Identifier] = []
    for each in known:
        with contextlib.suppress(RateLimited):  # a code can be asked for later
            await codes.allow(services, each, device.ip)
            written.append(each)
    try:
        async with services.db.tx() as tx:
            account = await tx.one(
                queries.INSERT_ACCOUNT,
                id=new_id(),
                kind=kind,
                email=next((each.email for each in known if each.email), None),
                phone=next((each.phone for each in known if each.phone), None),
                password_hash=hashed,
                name=(name or "").strip() or None,
            )
            token = await _open(tx, account.id, device)
            await usage.record(tx, AccountId(account.id), "account_registered", {"kind": kind})
            for each in written:
                purpose: Purpose = "email_verify" if each.channel == "email" else "phone_verify"
                await codes.send(tx, services, each, kind=kind, purpose=purpose, language=language)
    except (EmailTaken, PhoneTaken) as taken:
        # Whose address it is hears of it; the one who asks is told no more than that it cannot be had.
        whose = next(each for each in known if each.channel == taken.field)
        if whose in written:
            await notices.tell(services, whose, kind=kind, notice="registered_already", language=language)
        raise
    return Opened(account, token)


async def sign_in(
    services: Services, *, email: str | None, password: str, kind: Kind, device: Device, phone: str | None = None
) -> Opened:
    """A new session. Raises WrongCredentials (401), whatever was wrong, in the same time; SecondFactorNeeded (401);
    Busy, RateLimited (429).
    """
    try:
        known = identifiers.one(email, phone, services.settings.phone_region)
    except (InvalidEmail, InvalidPhone):
        known = identifiers.NOBODY
    await services.part(limits).spend("sign_in_target", f"{kind} {known.value}")
    async with services.db.read() as tx:
        found = await tx.maybe(queries.CREDENTIALS, kind=kind, email=known.email, phone=known.phone)
    fits = await services.part(hasher).matches(found.password_hash if found else None, password)
    if not fits or found is None or not found.is_active:
        raise WrongCredentials
    return await enter(services, AccountId(found.id), device, fingerprint=found.fingerprint)


async def sign_in_by_code(services: Services, *, phone: str, code: str, kind: Kind, device: Device) -> Opened:
    """A new session for a code that was sent for `sign_in`. Raises WrongCode (422), SecondFactorNeeded (401),
    TooManyGuesses (429).
    """
    known = identifiers.one(None, phone, services.settings.phone_region)
    async with services.db.tx() as tx:
        right = await codes.judge(tx, services, known, kind=kind, purpose="sign_in", code=code)
        account = await tx.maybe(queries_codes.BY_PHONE, kind=kind, phone=known.phone) if right else None
    if account is None:
        raise WrongCode
    return await enter(services, AccountId(account), device)


async def enter(
    services: Services, account: AccountId, device: Device, *, fingerprint: str | None = None, proven: bool = False
) -> Opened:
    """A session for who has shown who they are. `fingerprint` is of the password that they showed: it must still be the one.

    Raises WrongCredentials (401) for an account that is disabled or gone, SecondFactorNeeded (401) unless `proven`.
    """
    async with services.db.tx() as tx:
        entrant = await tx.maybe(queries_codes.ENTRANT, account=account)
        if entrant is None or not entrant.is_active or fingerprint not in {None, entrant.fingerprint}:
            raise WrongCredentials
        if entrant.second_factor and not proven:
            raise challenges.needed(services, entrant)
        token = await _open(tx, account, device)
        await usage.record(tx, account, "signed_in", {})
        return Opened(await tx.one(queries.ACCOUNT, account=account), token)


async def refresh(services: Services, text: str, device: Device) -> tuple[SessionToken, str]:
    """The next refresh token of a session and its account's kind; the old one is spent.

    Raises SessionEnded (401). A spent token within 10 s of its rotation is refused only; later it
    counts as stolen and ends the session.
    """
    old = tokens.parse(text)
    if old is None:
        raise SessionEnded
    new = tokens.new_session(old.account_id, old.session_id)
    async with services.db.tx() as tx:
        found = await tx.maybe(
            queries.ROTATE,
            account=old.account_id,
            id=old.session_id,
            hash=old.hash,
            new_hash=new.hash,
            ip=device.ip,
            user_agent=(device.user_agent or "")[:400] or None,
        )
    if found is None or found.outcome != "rotated" or found.kind is None:
        raise SessionEnded
    return new, found.kind


async def rename(tx: Tx, account: AccountId, name: str) -> None:
    """Another name, or none; a business keeps one. Raises InvalidName (422)."""
    wanted = name.strip()
    if len(wanted) > 120:
        raise InvalidName
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

