"""Second factor: rows and refusals."""

from __future__ import annotations

from datetime import datetime

import msgspec

from vetrina.core.errors import Refusal


class FactorRow(msgspec.Struct, frozen=True):
    """A second factor: the sealed secret, the last time step that was used, the wrong codes and when the last one came."""

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


class OwnerProof(msgspec.Struct, frozen=True):
    """An account's password hash and its label in an authenticator."""

    password_hash: str | None
    label: str


class SecondFactorEnabled(Refusal):
    """There is a second factor already. Turn it off first."""

    status = 409


class SecondFactorDisabled(Refusal):
    """There is no second factor."""

    status = 409
    constraint = "second_factor_removal_is_of_a_factor"
