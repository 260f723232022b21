"""Between the password and the second factor: a sealed note that the first step was done, good for five minutes."""

from __future__ import annotations

import time
from uuid import UUID

import msgspec

from vetrina.accounts.verification.model import ChallengeExpired, Entrant, SecondFactorNeeded
from vetrina.core.encryption import Broken, seal, unseal
from vetrina.core.services import Services

LIFE = 300
"""Seconds from the first step to the second."""


class Challenge(msgspec.Struct, frozen=True):
    """Who has done the first step. A changed password ends it: its fingerprint is another one then."""

    challenged: UUID
    fingerprint: str
    expires: float


def needed(services: Services, entrant: Entrant) -> SecondFactorNeeded:
    """The refusal that carries the challenge."""
    challenge = Challenge(entrant.id, entrant.fingerprint, time.time() + LIFE)
    return SecondFactorNeeded(challenge=seal(services.keys, challenge), expires_in=LIFE)


def read(services: Services, text: str) -> Challenge:
    """The challenge. Raises ChallengeExpired (401) for one that is not ours or too old."""
    try:
        challenge = unseal(services.keys, text, Challenge)
    except Broken:
        raise ChallengeExpired from None
    if challenge.expires < time.time():
        raise ChallengeExpired
    return challenge
