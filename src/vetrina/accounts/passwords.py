"""Password hashing by argon2id, with a limited number of hashes at a time."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Self, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vetrina.accounts.model import WeakPassword
from vetrina.core.errors import Busy
from vetrina.core.services import Services

Result = TypeVar("Result")

CONCURRENT = 2
QUEUED = 16
MIN_LENGTH, MAX_LENGTH = 10, 1024
PASSES, MEMORY = 2, 19 * 1024
"""What a hash costs: passes, and KiB. The minimum that OWASP recommends for argon2id with one lane."""

_MORE = ("vetrina", "changemenow", "zaq12wsxcde", "1231231234", "123456789012")


class Hasher:
    """Hashes with argon2id, `CONCURRENT` at a time in one process.

    Up to `QUEUED` more wait; beyond that Busy (429), so that sign-ins cannot exhaust the machine.
    """

    def __init__(self) -> None:
        self._argon = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=1)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._queued = 0
        self._dummy = self._argon.hash("no account has this password")

    @classmethod
    def provide(cls, _: Services) -> Self:
        """Return the hasher."""
        return cls()

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


def check(password: str) -> None:
    """Raise WeakPassword (422) for a short, overlong or common password.

    A list, as NIST SP 800-63B asks for, rather than a measure such as zxcvbn: a refusal can be explained, and it takes
    microseconds whatever is typed.
    """
    if len(password) < MIN_LENGTH or _is_common(password.lower()):
        raise WeakPassword
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"A password has at most {MAX_LENGTH} characters.")


def _is_common(password: str) -> bool:
    """Return whether `password` (lower case) is common: as it is, repeated, or with up to six digits or signs behind it."""
    unit = re.fullmatch(r"(.+?)\1+", password) if len(password) <= 64 else None  # quadratic
    if password in _common() or (unit is not None and (unit[1] in _common() or len(unit[1]) < 4)):
        return True
    bare = re.fullmatch(r"(.*?[a-z])[^a-z]{1,6}", password)
    return bare is not None and bare[1] in _common()


@cache
def _common() -> frozenset[str]:
    """Return the list of Django (`common_passwords/README.md`) and a few of our own, in lower case."""
    file = Path(__file__).parent / "common_passwords" / "common_passwords.txt.gz"
    return frozenset([*_MORE, *gzip.decompress(file.read_bytes()).decode().split()])
