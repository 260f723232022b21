"""Accounts: rows and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal

OPERATORS = frozenset({"superuser", "admin"})
"""The roles that may use the operator's pages."""


class AccountRow(msgspec.Struct, frozen=True):
    """An account with its name."""

    id: UUID
    kind: str
    email: str | None
    phone: str | None
    name: str | None
    email_verified: bool
    phone_verified: bool
    created_at: datetime


class Credentials(msgspec.Struct, frozen=True):
    """What signing in needs to know."""

    id: UUID
    password_hash: str | None
    is_active: bool
    fingerprint: str


class SessionOwner(msgspec.Struct, frozen=True):
    """Whose session this is; `head` is what modules show in the head of every page."""

    account_id: UUID
    kind: str
    email: str | None
    phone: str | None
    name: str | None
    roles: list[str]
    head: dict[str, Any]


class OperatedAccount(msgspec.Struct, frozen=True):
    """An account as an operator sees it."""

    id: UUID
    kind: str
    email: str | None
    phone: str | None
    handle: str | None
    name: str | None
    is_active: bool
    erased_at: datetime | None
    last_login_at: datetime | None
    created_at: datetime
    roles: list[str]

    @property
    def state(self) -> str:
        """active, disabled or erased."""
        return "erased" if self.erased_at else "active" if self.is_active else "disabled"


class Named(msgspec.Struct, frozen=True):
    """What operators call an account."""

    id: UUID
    name: str


class SessionRow(msgspec.Struct, frozen=True):
    """A session as its owner sees it."""

    id: UUID
    user_agent: str | None
    ip: str | None
    last_used_at: datetime
    created_at: datetime
    expires_at: datetime


class Rotated(msgspec.Struct, frozen=True):
    """What became of a refresh token: rotated, grace, reused or unknown."""

    outcome: str
    kind: str | None


class EmailTaken(Refusal):
    """There is already an account with this e-mail address. Sign in instead."""

    status = 409
    constraint = "account_email_taken"
    field = "email"


class InvalidEmail(Refusal):
    """This does not look like an e-mail address."""

    status = 422
    constraint = "account_email_shape"
    field = "email"


class InvalidName(Refusal):
    """A name has 1 to 120 characters."""

    status = 422
    constraint = "user_name_length"
    field = "name"


class WeakPassword(Refusal):
    """A password has at least 10 characters and is not one of the common ones."""

    status = 422
    field = "password"


class WrongCredentials(Refusal):
    """The e-mail address, the phone number or the password is not right."""

    status = 401


class SessionEnded(Refusal):
    """This session has ended. Please sign in again."""

    status = 401
