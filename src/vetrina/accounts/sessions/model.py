"""Sessions: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal


class SignInAccount(msgspec.Struct, frozen=True):
    """An account that a session is about to be opened for; `fingerprint` changes with the password."""

    id: UUID
    kind: str
    is_active: bool
    fingerprint: str
    second_factor: bool


class SessionOwner(msgspec.Struct, frozen=True):
    """The account of a session; `head` is what modules show in the head of every page."""

    account_id: UUID
    kind: str
    email: str | None
    phone: str | None
    name: str | None
    roles: list[str]
    head: dict[str, Any]


class SessionRow(msgspec.Struct, frozen=True):
    """A session as its owner sees it."""

    id: UUID
    user_agent: str | None
    ip: str | None
    last_used_at: datetime
    created_at: datetime
    expires_at: datetime


class TokenRotation(msgspec.Struct, frozen=True):
    """The outcome of presenting a refresh token: rotated, grace or reused."""

    outcome: str
    kind: str | None


class SecondFactorNeeded(Refusal):
    """Your authenticator's code is needed, too."""

    status = 401

    def __init__(self, message: str | None = None, *, challenge: str = "", expires_in: int = 0) -> None:
        self.challenge = challenge
        super().__init__(message, challenge=challenge, expires_in=expires_in)


class ChallengeExpired(Refusal):
    """This took too long. Please sign in again."""

    status = 401
