"""Confirmation actions: confirm a session by password or second factor, and ask whether it was."""

from __future__ import annotations

from vetrina.accounts.confirmation import queries
from vetrina.accounts.confirmation.model import SignInAgainToConfirm
from vetrina.accounts.model import SessionEnded
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.core import audit
from vetrina.core.audit import Actor
from vetrina.core.services import Services
from vetrina.core.web.request import Principal


async def confirm(services: Services, principal: Principal, *, password: str | None, code: str | None, actor: Actor) -> None:
    """Confirm the caller's session for ten minutes by the password and, if there is one, the second factor.

    Raises WrongPassword, SignInAgainToConfirm (403), WrongCode (422), SessionEnded (401), RateLimited, TooManyGuesses (429).
    """
    if not await second_factor.check_owner(services, principal.id, password=password, code=code):
        raise SignInAgainToConfirm
    async with services.db.tx() as tx:
        if not await tx.execute(queries.CONFIRM, account=principal.id, session=principal.session_id):
            raise SessionEnded
        await audit.record(tx, "session_confirmed", principal.id, resource=("session", principal.session_id), actor=actor)


async def is_confirmed(services: Services, principal: Principal) -> bool:
    """Return whether the caller's session was confirmed, or opened, in the last ten minutes."""
    async with services.db.read() as tx:
        session = await tx.fetch_optional(queries.CONFIRMED_SESSION, account=principal.id, session=principal.session_id)
    return session is not None
