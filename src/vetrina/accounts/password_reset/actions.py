"""What a code opens: a confirmed address or phone, a new password."""

from __future__ import annotations

from vetrina.accounts import queries
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.notifications import actions as notices
from vetrina.accounts.passwords import hasher
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification import queries as queries_codes
from vetrina.accounts.verification.actions import Kind, Language, Purpose
from vetrina.accounts.verification.model import InvalidPurpose, WrongCode
from vetrina.core import audit, usage
from vetrina.core.audit import Actor
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services

CHANNELS = {"email_verify": {"email"}, "phone_verify": {"phone"}, "sign_in": {"phone"}, "password_reset": {"email", "phone"}}
"""Where a code for each purpose may go."""


def fit(to: Identifier, purpose: Purpose) -> None:
    """Raises InvalidPurpose (422) when a code for this does not go there."""
    if to.channel not in CHANNELS[purpose]:
        raise InvalidPurpose


async def confirm(
    services: Services, to: Identifier, *, kind: Kind, purpose: Purpose, code: str, address: str | None
) -> None:
    """The address or the phone is theirs. Raises InvalidPurpose, WrongCode (422), TooManyGuesses (429)."""
    fit(to, purpose)
    async with services.db.tx() as tx:
        right = await codes.judge(tx, services, to, kind=kind, purpose=purpose, code=code)
        account = await tx.maybe(queries_codes.VERIFIED, kind=kind, email=to.email, phone=to.phone) if right else None
        if account is not None:
            await audit.acting(tx, Actor(kind, account, address))
            await usage.record(tx, AccountId(account), "identifier_confirmed", {"channel": to.channel})
    if account is None:
        raise WrongCode


async def reset(
    services: Services, to: Identifier, *, kind: Kind, code: str, password: str, language: Language, address: str | None
) -> None:
    """Another password, and every session has ended.

    Whoever has the code has shown that the address is theirs: it counts as confirmed, and if it never was before, a
    second factor of whoever registered it goes too. Raises WeakPassword, WrongCode (422), TooManyGuesses, Busy (429).
    """
    hashed = await services.part(hasher).hash(password)
    async with services.db.tx() as tx:
        right = await codes.judge(tx, services, to, kind=kind, purpose="password_reset", code=code)
        account = None
        if right:
            account = await tx.maybe(
                queries_codes.RESET, kind=kind, email=to.email, phone=to.phone, password_hash=hashed
            )
        if account is not None:
            await audit.acting(tx, Actor(kind, account, address))
            await tx.do(queries.REVOKE_ALL, account=account, why="password reset")
            await usage.record(tx, AccountId(account), "password_reset", {"channel": to.channel})
            await notices.tell_account(tx, services, AccountId(account), notice="password_changed", language=language)
    if account is None:
        raise WrongCode
