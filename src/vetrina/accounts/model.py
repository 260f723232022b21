"""Rows, values and refusals that every room of accounts uses."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from vetrina.core.audit import SYSTEM, Actor
from vetrina.core.errors import Refusal
from vetrina.web import i18n

Kind = Literal["user", "vendor"]
"""Users and vendors have accounts of their own: identifiers are unique within a kind."""
CodeKind = Literal["user", "vendor", "any"]
"""The kind of account that a one-time code is for; "any" where the code finds the account."""
Language = i18n.Language
"""Languages that messages are written in."""
Channel = Literal["email", "phone"]
Purpose = Literal["email_verify", "phone_verify", "password_reset", "sign_in", "email_change", "phone_change"]
"""What a one-time code is for."""


Client = Literal["browser", "program"]
"""What a session's token opens: a browser's is a cookie, a program's is a refresh token."""
OPERATORS = frozenset({"superuser", "admin"})
"""The roles that may use the operators' pages."""


class Device(msgspec.Struct, frozen=True):
    """The client that a session is used from."""

    user_agent: str | None
    ip: str | None
    client: Client = "browser"


class Caller(Device, frozen=True, kw_only=True):
    """The client that sent a request, as actions record it: its device, the reader's language, and who is signed in."""

    language: Language = "en"
    actor: Actor = SYSTEM
    """The actor for the audit log, with the client's address."""


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
    """What a sign-in with a password is checked against; `fingerprint` changes with the password."""

    id: UUID
    password_hash: str | None
    is_active: bool
    fingerprint: str


class EmailTaken(Refusal):
    """There is already an account with this e-mail address. Sign in instead."""

    status = 409
    constraint = "account_email_taken"
    field = "email"


class PhoneTaken(Refusal):
    """There is already an account with this phone number. Sign in instead."""

    status = 409
    constraint = "account_phone_taken"
    field = "phone"


class InvalidEmail(Refusal):
    """This does not look like an e-mail address."""

    status = 422
    constraint = "account_email_shape"
    field = "email"


class InvalidPhone(Refusal):
    """This does not look like a phone number. Write it with its country, such as +98 912 345 6789."""

    status = 422
    constraint = "account_phone_is_e164"
    field = "phone"


class OneIdentifier(Refusal):
    """Give either an e-mail address or a phone number."""

    status = 422
    constraint = "account_has_an_identifier"


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


class WrongPassword(Refusal):
    """This is not your password."""

    status = 403
    field = "password"


class SessionEnded(Refusal):
    """This session has ended. Please sign in again."""

    status = 401
