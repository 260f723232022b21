"""What a browser is in the middle of: a code that was sent, or the second step of signing in. Sealed in a cookie."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec
from litestar.datastructures import Cookie

from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.sessions import challenges
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification.actions import Kind, Purpose
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services
from vetrina.core.web.request import Request


class Waiting(msgspec.Struct, frozen=True):
    """Either a code for `purpose` went `to`, or `challenge` waits for its second step; then on to `onward`."""

    waits_until: float
    kind: Kind = "user"
    to: Identifier | None = None
    purpose: Purpose | None = None
    challenge: str = ""
    onward: str = ""

    @property
    def until(self) -> datetime:
        """When it is over."""
        return datetime.fromtimestamp(self.waits_until, UTC)


def for_code(to: Identifier, kind: Kind, purpose: Purpose, onward: str = "") -> Waiting:
    """A code was sent just now."""
    return Waiting(time.time() + codes.LIFE, kind, to, purpose, onward=onward)


def for_second_step(challenge: str, kind: Kind, onward: str = "") -> Waiting:
    """The first step was done just now."""
    return Waiting(time.time() + challenges.LIFE, kind, challenge=challenge, onward=onward)


def read(request: Request) -> Waiting | None:
    """What this browser is in the middle of; None for nothing. A code may be over: another can be asked for."""
    try:
        return unseal(request.services.keys, request.cookies.get(_name(request.services), ""), Waiting)
    except Broken:
        return None


def cookie(services: Services, waiting: Waiting | None) -> Cookie:
    """The cookie that remembers it for an hour, or forgets it with None."""
    return Cookie(
        _name(services),
        value=seal(services.keys, waiting) if waiting else "",
        path="/",
        max_age=3600 if waiting else 0,
        httponly=True,
        secure=services.settings.secure,
        samesite="lax",
    )


def _name(services: Services) -> str:
    return "__Host-vetrina_door" if services.settings.secure else "vetrina_door"
