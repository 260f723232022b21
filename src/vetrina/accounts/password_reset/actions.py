"""Resetting a password with a code."""

from __future__ import annotations

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Kind, Language
from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.password_reset import queries
from vetrina.accounts.passwords import hasher
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.model import WrongCode
from vetrina.core import audit, usage
from vetrina.core.audit import Actor
from vetrina.core.database.ids import AccountId
from vetrina.core.services import Services


async def reset(
    services: Services, to: Identifier, *, kind: Kind, code: str, password: str, language: Language, address: str | None
) -> None:
    """Set a new password and end every session.

    The code proves ownership of the identifier, which counts as confirmed; if it was not confirmed before, a second factor
    that was set up by then is removed. Raises WeakPassword, WrongCode (422), TooManyGuesses, Busy (429).
    """
    password_hash = await services.part(hasher).hash(password)
    async with services.db.tx() as tx:
        account = None
        if await verification.check_code(tx, services, to, kind=kind, purpose="password_reset", code=code):
            account = await tx.maybe(
                queries.RESET_PASSWORD, kind=kind, email=to.email, phone=to.phone, password_hash=password_hash
            )
        if account is not None:
            await audit.acting(tx, Actor(kind, account, address))
            await sessions.revoke_all(tx, account, why="password reset")
            await usage.record(tx, AccountId(account), "password_reset", {"channel": to.channel})
            await notifications.notify_account(
                tx, services, AccountId(account), notice="password_changed", language=language
            )
    if account is None:
        raise WrongCode
