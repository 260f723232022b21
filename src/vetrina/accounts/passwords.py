"""Passwords: argon2id, at most a few hashes at a time, then 429."""

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

AT_ONCE = 2
WAITING = 16
MINIMUM, MAXIMUM = 10, 1024


class Hasher:
    """argon2id with 19 MiB, two passes, one lane (OWASP's minimum), `AT_ONCE` at a time in one process.

    `WAITING` more may queue; beyond that Busy (429), so that sign-ins cannot take the machine.
    """

    def __init__(self) -> None:
        self._argon = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._queued = 0
        self._nobody = self._argon.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A new hash. Raises WeakPassword (422) and Busy (429)."""
        check(password)
        return await self._in_turn(self._argon.hash, password)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether the password fits; takes as long when there is no account. Raises Busy (429)."""
        fits = await self._in_turn(self._verify, hashed or self._nobody, password[:MAXIMUM])
        return fits and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._argon.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[..., Result], *arguments: str) -> Result:
        if self._queued >= AT_ONCE + WAITING:
            raise Busy
        self._queued += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._queued -= 1


def hasher(_: Services) -> Hasher:
    """The process's hasher."""
    return Hasher()


def check(password: str) -> None:
    """Raises WeakPassword (422) for a short, overlong or common password."""
    if len(password) < MINIMUM or password.lower() in _common():
        raise WeakPassword
    if len(password) > MAXIMUM:
        raise WeakPassword(f"A password has at most {MAXIMUM} characters.")


@cache
def _common() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text().split())
