"""Password hashing by argon2id, with a limited number of hashes at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vetrina.accounts.model import WeakPassword
from vetrina.core.errors import Busy
from vetrina.core.services import Services

Result = TypeVar("Result")

CONCURRENT = 2
QUEUED = 16
MIN_LENGTH, MAX_LENGTH = 10, 1024


class Hasher:
    """Hashes with argon2id, 19 MiB, two passes, one lane (the OWASP minimum), `CONCURRENT` at a time in one process.

    Up to `QUEUED` more wait; beyond that Busy (429), so that sign-ins cannot exhaust the machine.
    """

    def __init__(self) -> None:
        self._argon = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._queued = 0
        self._dummy = self._argon.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """Return a new hash. Raises WeakPassword (422) and Busy (429)."""
        check(password)
        return await self._run(self._argon.hash, password)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Return whether the password matches; takes as long without an account. Raises Busy (429)."""
        matches = await self._run(self._verify, hashed or self._dummy, password[:MAX_LENGTH])
        return matches and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._argon.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., Result], *arguments: str) -> Result:
        if self._queued >= CONCURRENT + QUEUED:
            raise Busy
        self._queued += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._queued -= 1


def hasher(_: Services) -> Hasher:
    """Return the process's hasher."""
    return Hasher()


def check(password: str) -> None:
    """Raise WeakPassword (422) for a short, overlong or common password."""
    if len(password) < MIN_LENGTH or password.lower() in _common():
        raise WeakPassword
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"A password has at most {MAX_LENGTH} characters.")


@cache
def _common() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text().split())
