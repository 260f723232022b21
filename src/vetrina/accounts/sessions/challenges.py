"""Sealed challenges between the password and the second factor, valid for five minutes."""

from __future__ import annotations

import time
from uuid import UUID

import msgspec

from vetrina.accounts.sessions.model import ChallengeExpired, SecondFactorNeeded, SignInAccount
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services

LIFETIME = 300
"""Seconds from the first step to the second."""


class Challenge(msgspec.Struct, frozen=True):
    """The account that has passed the first step. Changing the password invalidates it by its fingerprint."""

    challenged: UUID
    fingerprint: str
    expires: float


def second_factor_needed(services: Services, account: SignInAccount) -> SecondFactorNeeded:
    """Return the refusal that carries the challenge."""
    challenge = Challenge(account.id, account.fingerprint, time.time() + LIFETIME)
    return SecondFactorNeeded(challenge=seal(services.keys, challenge), expires_in=LIFETIME)


def read(services: Services, text: str) -> Challenge:
    """Return the challenge. Raises ChallengeExpired (401) for a forged or expired one."""
    try:
        challenge = unseal(services.keys, text, Challenge)
    except Broken:
        raise ChallengeExpired from None
    if challenge.expires < time.time():
        raise ChallengeExpired
    return challenge
