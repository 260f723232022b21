"""Rate limits across processes: permits are acquired from core.rate_limits in blocks and used locally.

A small limit is acquired one permit at a time and is exact. A large one is acquired in fiftieths, so that most requests need no
database query; a process that acquires permits and does not use them can only make the limit slightly stricter, never looser.
Limits are rows of core.settings (`limits.NAME`), read again every five seconds; a count of 0 means unlimited.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from ipaddress import IPv6Network
from typing import Annotated, Any, Self

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.core.errors import Refusal
from vetrina.core.services import Services

CACHE_SECONDS = 5.0
"""Seconds that limits are cached."""
_EXACT = 100
_KEPT = 50_000


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number of permits per window of seconds; a count of 0 means unlimited."""

    count: Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)]


class RateLimitState(msgspec.Struct, frozen=True):
    """State of a limit after a request: `remaining` permits, `reset` seconds until the window ends."""

    name: str
    limit: Limit
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Return the IETF's RateLimit header fields."""
        return {
            "RateLimit-Limit": str(self.limit.count),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit.count};w={self.limit.seconds}",
        }


class RateLimited(Refusal):
    """Too many requests. Please try again later."""

    status = 429

    def __init__(self, state: RateLimitState | None = None, message: str | None = None, *, seconds: int = 2) -> None:
        wait = state.reset if state else seconds
        self.headers = {**(state.headers() if state else {}), "Retry-After": str(max(1, wait))}
        super().__init__(message or f"Too many requests. Try again in {format_duration(wait)}.")


class _Setting(msgspec.Struct, frozen=True):
    key: str
    value: Any


class _Acquired(msgspec.Struct, frozen=True):
    granted: int
    used: int
    seconds_left: float


class _Lease(msgspec.Struct):
    left: int
    used: int
    ends: float
    limit: Limit


ACQUIRE = Statement(
    _Acquired,
    """
    select granted, used, greatest(extract(epoch from resets_at - clock_timestamp()), 0)::float8 as seconds_left
      from core.acquire_permits(%(key)s, %(count)s, %(seconds)s, %(block)s)
    """,
)
LIMITS = Statement(_Setting, "select key, value from core.settings where key like 'limits.%%' order by key")


class Limits:
    """The rate limiter of one process."""

    def __init__(self, services: Services) -> None:
        self._db = services.db
        self._key = hashlib.sha256(b"limits" + services.keys[0]).digest()
        self._limits: dict[str, Limit] = {}
        self._read_at = -math.inf
        self._leases: dict[str, _Lease] = {}

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the rate limiter."""
        return cls(services)

    async def consume(self, name: str, subject: str) -> RateLimitState | None:
        """Consume one permit of `subject` from the limit `name`; None if there is no such limit. Raises RateLimited (429)."""
        limit = await self._limit(name)
        if limit is None:
            return None
        # Addresses and phone numbers are not stored in plain text: only their HMAC is.
        key = f"{name}:{hmac.new(self._key, rate_limit_subject(subject).encode(), hashlib.sha256).hexdigest()[:32]}"
        lease = self._leases.get(key)
        now = time.monotonic()
        stale = lease is None or lease.limit != limit or lease.ends <= now
        if lease is None or stale or (lease.left == 0 and lease.used < limit.count):
            lease = await self._acquire(key, limit)
        remaining = lease.left + max(0, limit.count - lease.used)
        reset = max(1, math.ceil(lease.ends - time.monotonic()))
        if lease.left == 0:
            raise RateLimited(RateLimitState(name, limit, 0, reset))
        lease.left -= 1
        return RateLimitState(name, limit, remaining - 1, reset)

    async def _acquire(self, key: str, limit: Limit) -> _Lease:
        block = 1 if limit.count <= _EXACT else limit.count // 50
        async with self._db.read() as tx:
            acquired = await tx.fetch_one(ACQUIRE, key=key, count=limit.count, seconds=limit.seconds, block=block)
        ends = time.monotonic() + acquired.seconds_left
        previous = self._leases.get(key)
        # Another request of this process may have acquired permits of the same window meanwhile.
        same_window = previous is not None and previous.limit == limit and abs(previous.ends - ends) < limit.seconds / 2
        carried_over = previous.left if previous is not None and same_window else 0
        lease = self._leases[key] = _Lease(acquired.granted + carried_over, acquired.used, ends, limit)
        if len(self._leases) > _KEPT:
            self._forget()
        return lease

    def _forget(self) -> None:
        """Delete ended windows; and the oldest half if all are open, which only loses permits."""
        now = time.monotonic()
        live = {key: lease for key, lease in self._leases.items() if lease.ends > now}
        half = list(live.items())[len(live) // 2 :]
        self._leases = live if len(live) < _KEPT * 3 // 4 else dict(half)

    async def _limit(self, name: str) -> Limit | None:
        now = time.monotonic()
        if now - self._read_at > CACHE_SECONDS:
            if self._limits:
                self._read_at = now  # the other requests continue with the old limits meanwhile
            async with self._db.read() as tx:
                self._limits = parse({row.key: row.value for row in await tx.fetch_all(LIMITS)})
            self._read_at = now
        return self._limits.get(name)


def parse(rows: dict[str, Any]) -> dict[str, Limit]:
    """Parse limits from settings rows, without those that are disabled or invalid."""
    parsed: dict[str, Limit] = {}
    for key, value in rows.items():
        try:
            limit = msgspec.convert(value, Limit)
        except msgspec.ValidationError:
            continue
        if limit.count > 0:
            parsed[key.removeprefix("limits.")] = limit
    return parsed


def rate_limit_subject(subject: str) -> str:
    """Return the counted subject: the /64 of an IPv6 address, which one household or server owns; else the subject itself."""
    if ":" not in subject:
        return subject
    try:
        return str(IPv6Network((subject.partition("%")[0], 64), strict=False))
    except ValueError:
        return subject


def format_duration(seconds: int) -> str:
    """Return a duration as text."""
    if seconds < 90:
        return "a second" if seconds <= 1 else f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"
