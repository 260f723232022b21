"""One-time codes: rows and refusals."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from vetrina.accounts.model import Kind
from vetrina.core.errors import Refusal


class Guesses(msgspec.Struct, frozen=True):
    """Wrong guesses of the last hour for an identifier and purpose, and those of its live code of one kind."""

    in_last_hour: int
    seconds_left: int
    """Until an hour after the last one."""
    of_code: int


class ConfirmedIdentifier(msgspec.Struct, frozen=True):
    """What became of an identifier whose code was right; see the function `accounts.confirm_identifier`."""

    account_id: UUID
    outcome: Literal["confirmed", "taken_over", "owned"]


class IdentifierAccount(msgspec.Struct, frozen=True):
    """An account that has an identifier, confirmed or not."""

    id: UUID
    kind: Kind
    is_confirmed: bool


class InvalidPurpose(Refusal):
    """A code for this purpose does not go there: email_verify is for an address, phone_verify and sign_in for a phone."""

    status = 422
    field = "purpose"


class CodeClosed(Refusal):
    """This code was entered wrongly too often. Ask for another one."""

    status = 422
    field = "code"


class WrongCode(Refusal):
    """The code is not right, or it has expired."""

    status = 422
    field = "code"


class SignInToConfirm(Refusal):
    """This belongs to an account with another confirmed address or number. Sign in to that account to confirm it."""

    status = 403
    constraint = "identifier_confirmed_by_its_account"


class IdentifierReleased(Refusal):
    """This was never confirmed by the account that named it, so it does not open that account. You can sign up with it now."""

    status = 409


class TooManyGuesses(Refusal):
    """There were too many wrong codes. Please wait before you try again."""

    status = 429
    field = "code"

    def __init__(self, message: str | None = None, *, seconds: int = 3600) -> None:
        self.headers = {"Retry-After": str(max(1, seconds))}
        minutes = -(-max(1, seconds) // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(message or f"There were too many wrong codes. Please wait {wait} before you try again.")
