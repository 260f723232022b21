"""Rate limits that hold across processes: permits are drawn from core.rate_limits in blocks and spent here.

A small limit is drawn one by one and is exact. A large one is drawn in fiftieths, so that most requests ask no
database; a process that draws and does not spend can only make the limit a little stricter, never looser.
Limits are rows of core.settings (`limits.NAME`), read again every five seconds; a count of 0 means none.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from ipaddress import IPv6Network
from typing import Annotated, Any

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.core.errors import Refusal
from vetrina.core.services import Services

FRESH = 5.0
"""Seconds that the limits are remembered."""
_EXACT = 100
_KEPT = 50_000


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many in so many seconds; a count of 0 means without end."""

    count: Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)]


class Standing(msgspec.Struct, frozen=True):
    """How a limit stands after one more: `remaining` permits, `reset` seconds to the window's end."""

    name: str
    limit: Limit
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """As the answer tells it (the IETF's RateLimit header fields)."""
        return {
            "RateLimit-Limit": str(self.limit.count),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit.count};w={self.limit.seconds}",
        }


class RateLimited(Refusal):
    """That was too often. Please wait a little."""

    status = 429

    def __init__(self, standing: Standing | None = None, message: str | None = None, *, seconds: int = 2) -> None:
        wait = standing.reset if standing else seconds
        self.headers = {**(standing.headers() if standing else {}), "Retry-After": str(max(1, wait))}
        super().__init__(message or f"That was too often. Please wait {spoken(wait)}.")


class _Setting(msgspec.Struct, frozen=True):
    key: str
    value: Any


class _Drawn(msgspec.Struct, frozen=True):
    granted: int
    used: int
    seconds_left: float


class _Lease(msgspec.Struct):
    left: int
    used: int
    ends: float
    limit: Limit


DRAW = Statement(
    _Drawn,
    """
    select granted, used, greatest(extract(epoch from resets_at - clock_timestamp()), 0)::float8 as seconds_left
      from core.acquire_permits(%(key)s, %(count)s, %(seconds)s, %(block)s)
    """,
)
LIMITS = Statement(_Setting, "select key, value from core.settings where key like 'limits.%%' order by key")


class Limits:
    """One process's permits."""

    def __init__(self, services: Services) -> None:
        self._db = services.db
        self._key = hashlib.sha256(b"limits" + services.keys[0]).digest()
        self._limits: dict[str, Limit] = {}
        self._read_at = -math.inf
        self._leases: dict[str, _Lease] = {}

    async def spend(self, name: str, subject: str) -> Standing | None:
        """Count one by `subject` against the limit `name`; None if there is no such limit. Raises RateLimited (429)."""
        limit = await self._limit(name)
        if limit is None:
            return None
        # Addresses and phones are nobody's business in the table: only their HMAC is kept.
        key = f"{name}:{hmac.new(self._key, _whose(subject).encode(), hashlib.sha256).hexdigest()[:32]}"
        lease = self._leases.get(key)
        now = time.monotonic()
        stale = lease is None or lease.limit != limit or lease.ends <= now
        if lease is None or stale or (lease.left == 0 and lease.used < limit.count):
            lease = await self._draw(key, limit)
        remaining = lease.left + max(0, limit.count - lease.used)
        reset = max(1, math.ceil(lease.ends - time.monotonic()))
        if lease.left == 0:
            raise RateLimited(Standing(name, limit, 0, reset))
        lease.left -= 1
        return Standing(name, limit, remaining - 1, reset)

    async def _draw(self, key: str, limit: Limit) -> _Lease:
        block = 1 if limit.count <= _EXACT else limit.count // 50
        async with self._db.read() as tx:
            drawn = await tx.one(DRAW, key=key, count=limit.count, seconds=limit.seconds, block=block)
        ends = time.monotonic() + drawn.seconds_left
        had = self._leases.get(key)
        # Another request of this process may have drawn meanwhile, from the same window.
        kept = had.left if had is not None and had.limit == limit and abs(had.ends - ends) < limit.seconds / 2 else 0
        lease = self._leases[key] = _Lease(drawn.granted + kept, drawn.used, ends, limit)
        if len(self._leases) > _KEPT:
            self._forget()
        return lease

    def _forget(self) -> None:
        """Let go of windows that are over; and of the oldest half if all are open, which only loses permits."""
        now = time.monotonic()
        live = {key: each for key, each in self._leases.items() if each.ends > now}
        half = list(live.items())[len(live) // 2 :]
        self._leases = live if len(live) < _KEPT * 3 // 4 else dict(half)

    async def _limit(self, name: str) -> Limit | None:
        now = time.monotonic()
        if now - self._read_at > FRESH:
            if self._limits:
                self._read_at = now  # the others go on with the old ones meanwhile
            async with self._db.read() as tx:
                self._limits = parse({row.key: row.value for row in await tx.all(LIMITS)})
            self._read_at = now
        return self._limits.get(name)


def limits(services: Services) -> Limits:
    """The process's permits."""
    return Limits(services)


def parse(rows: dict[str, Any]) -> dict[str, Limit]:
    """The limits in settings' rows, without those that are off or cannot be read."""
    found: dict[str, Limit] = {}
    for key, value in rows.items():
        try:
            limit = msgspec.convert(value, Limit)
        except msgspec.ValidationError:
            continue
        if limit.count > 0:
            found[key.removeprefix("limits.")] = limit
    return found


def _whose(subject: str) -> str:
    """An IPv6 address stands for its /64, which one household or server has whole; everything else for itself."""
    if ":" not in subject:
        return subject
    try:
        return str(IPv6Network((subject.partition("%")[0], 64), strict=False))
    except ValueError:
        return subject


def spoken(seconds: int) -> str:
    """A wait in words."""
    if seconds < 90:
        return "a second" if seconds <= 1 else f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"
