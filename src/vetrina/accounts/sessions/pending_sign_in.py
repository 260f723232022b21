"""State of an unfinished sign-in or confirmation, sealed in a cookie."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from litestar.datastructures import Cookie

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Kind, Purpose
from vetrina.accounts.sessions import challenges
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services
from vetrina.core.web.request import Request


class PendingSignIn(msgspec.Struct, frozen=True):
    """Either a code for `purpose` was sent `to` an identifier, or `challenge` waits for its second step."""

    waits_until: float
    kind: Kind = "user"
    to: Identifier | None = None
    purpose: Purpose | None = None
    challenge: str = ""
    onward: str = ""
    """The local path to go to afterwards."""
    change_of: UUID | None = None
    """The account that the code changes an address or number of."""

    @property
    def expires_at(self) -> datetime:
        """When the code or the challenge expires."""
        return datetime.fromtimestamp(self.waits_until, UTC)


def for_code(
    to: Identifier, kind: Kind, purpose: Purpose, onward: str = "", *, lifetime: int, change_of: UUID | None = None
) -> PendingSignIn:
    """Return the state after a code was sent that is valid for `lifetime` seconds."""
    return PendingSignIn(time.time() + lifetime, kind, to, purpose, onward=onward, change_of=change_of)


def for_second_step(challenge: str, kind: Kind, onward: str = "") -> PendingSignIn:
    """Return the state after the first step of a sign-in."""
    return PendingSignIn(time.time() + challenges.LIFETIME, kind, challenge=challenge, onward=onward)


def read(request: Request) -> PendingSignIn | None:
    """Return this browser's state, or None. The code may have expired: another can be requested."""
    try:
        return unseal(request.services.keys, request.cookies.get(_name(request.services), ""), PendingSignIn)
    except Broken:
        return None


def cookie(services: Services, pending: PendingSignIn | None) -> Cookie:
    """Return the cookie that keeps the state for an hour, or deletes it with None."""
    return Cookie(
        _name(services),
        value=seal(services.keys, pending) if pending else "",
        path="/",
        max_age=3600 if pending else 0,
        httponly=True,
        secure=services.settings.secure,
        samesite="lax",
    )


def _name(services: Services) -> str:
    return "__Host-vetrina_pending" if services.settings.secure else "vetrina_pending"
