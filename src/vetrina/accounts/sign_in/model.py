"""Signing in: rows and refusals."""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.accounts.model import Credentials, Kind
from vetrina.core.errors import Refusal


class KindCredentials(Credentials, frozen=True):
    """Credentials with their account's kind."""

    kind: Kind


class KindChoice(msgspec.Struct, frozen=True):
    """The accounts whose password was right, of both kinds: id and the password's fingerprint. Sealed for five minutes."""

    choices: dict[Kind, tuple[UUID, str]]
    choice_expires: float


class ChooseKind(Refusal):
    """The password fits two accounts, a user's and a vendor's. Say which one by `kind`."""

    status = 409
    field = "kind"

    def __init__(self, message: str | None = None, *, sealed: str = "") -> None:
        self.sealed = sealed
        super().__init__(message)


class ChoiceExpired(Refusal):
    """This took too long. Please sign in again."""

    status = 401


class PasswordOrCode(Refusal):
    """Give either the password or a code that was sent to the phone."""

    status = 422
