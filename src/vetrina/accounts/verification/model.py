"""The ways in: rows and refusals of phones, codes, resets and the second factor."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal


class Addressee(msgspec.Struct, frozen=True):
    """Whom a letter goes to."""

    id: UUID
    name: str | None
    email: str | None
    phone: str | None
    email_verified: bool
    phone_verified: bool


class Entrant(msgspec.Struct, frozen=True):
    """Who is about to get a session; `fingerprint` changes with the password."""

    id: UUID
    kind: str
    is_active: bool
    fingerprint: str
    second_factor: bool


class FactorRow(msgspec.Struct, frozen=True):
    """A second factor as it is judged: the sealed secret, the last step taken, the wrong codes still to be counted."""

    secret: str
    confirmed_at: datetime | None
    last_step: int
    attempt_count: int
    seconds_since: float


class FactorState(msgspec.Struct, frozen=True):
    """A second factor as its owner sees it."""

    enabled: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


class Proof(msgspec.Struct, frozen=True):
    """What shows that the one who asks knows the password: its hash, and what the account is called."""

    password_hash: str | None
    label: str


class PhoneTaken(Refusal):
    """There is already an account with this phone number. Sign in instead."""

    status = 409
    constraint = "account_phone_taken"
    field = "phone"


class InvalidPhone(Refusal):
    """This does not look like a phone number. Write it with its country, such as +98 912 345 6789."""

    status = 422
    constraint = "account_phone_is_e164"
    field = "phone"


class OneIdentifier(Refusal):
    """Give either an e-mail address or a phone number."""

    status = 422
    constraint = "account_has_an_identifier"


class PasswordOrCode(Refusal):
    """Give either the password or a code that was sent to the phone."""

    status = 422


class InvalidPurpose(Refusal):
    """A code for this purpose does not go there: email_verify is for an address, phone_verify and sign_in for a phone."""

    status = 422
    field = "purpose"


class WrongCode(Refusal):
    """The code is not right, or it is no longer good."""

    status = 422
    field = "code"


class TooManyGuesses(Refusal):
    """There were too many wrong codes. Please wait before you try again."""

    status = 429
    field = "code"

    def __init__(self, message: str | None = None, *, seconds: int = 3600) -> None:
        self.headers = {"Retry-After": str(max(1, seconds))}
        minutes = -(-max(1, seconds) // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(message or f"There were too many wrong codes. Please wait {wait} before you try again.")


class SecondFactorNeeded(Refusal):
    """Your authenticator's code is needed, too."""

    status = 401

    def __init__(self, message: str | None = None, *, challenge: str = "", expires_in: int = 0) -> None:
        self.challenge = challenge
        super().__init__(message, challenge=challenge, expires_in=expires_in)


class ChallengeExpired(Refusal):
    """This took too long. Please sign in again."""

    status = 401


class WrongPassword(Refusal):
    """This is not your password."""

    status = 403
    field = "password"


class SecondFactorEnabled(Refusal):
    """There is a second factor already. Turn it off first."""

    status = 409


class SecondFactorDisabled(Refusal):
    """There is no second factor."""

    status = 409
