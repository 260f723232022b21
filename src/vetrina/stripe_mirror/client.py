"""Reader of Stripe's lists and objects over HTTP: after a 429 it waits for Retry-After and lowers its concurrency.

Source: Stripe's API reference, "Pagination", "Rate limits", "Errors". Requests use the account's default API version,
which its webhooks use too, unless an endpoint was created with another.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, quote

import httpx2
import msgspec
import structlog

from vetrina.core.errors import Unavailable
from vetrina.core.retry import Backoff, Passing, retried, retry_after
from vetrina.core.settings.environment import Settings
from vetrina.stripe_mirror.events import storable
from vetrina.stripe_mirror.model import ApiKeyMissing

log = structlog.get_logger("vetrina.stripe_mirror")

AT_ONCE = 16
"""Concurrent requests at most. Stripe allows 100 per second (25 in test mode)."""
PAGE = 100
"""Objects per page, Stripe's maximum."""
MAX_ATTEMPTS = 8
TIMEOUT = 30.0
MAX_PAUSE = 60.0
"""The longest pause, in seconds."""
BACKOFF = Backoff(tries=MAX_ATTEMPTS, first=0.25, longest=8.0)


class StripeUnavailable(Unavailable):
    """Stripe is not available at the moment."""


class StripeRefused(Unavailable):
    """Stripe refuses the request. Check STRIPE_API_KEY and its permissions."""


class Page(msgspec.Struct, frozen=True):
    """Objects as Stripe sent them.

    By Stripe's clock they were read at `served_at` or later; we sent the request at `requested_at`.
    """

    objects: list[str]
    has_more: bool
    last_id: str | None
    oldest: int
    """Creation time of the last object, in seconds."""
    served_at: datetime
    requested_at: datetime


class _Listed(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


class _Named(msgspec.Struct):
    id: str
    created: int = 0


class Reader:
    """Client of one Stripe account; an async context manager. Raises StripeUnavailable and StripeRefused (503)."""

    def __init__(self, key: str, base: str, *, at_once: int = AT_ONCE, timeout: float = TIMEOUT) -> None:
        self._client = httpx2.AsyncClient(
            base_url=base.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"},
            verify=_tls_context(),
            timeout=timeout,
            trust_env=False,
            limits=httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once),
        )
        self._gate = _Gate(at_once)
        self.calls = 0
        self.throttled = 0
        """The number of responses with status 429."""

    @classmethod
    def from_settings(cls, settings: Settings, **more: Any) -> Self:
        """Create a reader from the settings. Raises ApiKeyMissing (503)."""
        if not settings.stripe_api_key:
            raise ApiKeyMissing
        return cls(settings.stripe_api_key, settings.stripe_api_base, **more)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def list_page(self, path: str, *, since: int, until: int, after: str | None, **query: str) -> Page:
        """Return a page of objects created in [since, until) (seconds), newest first, after the object `after`."""
        parameters = {**query, "limit": str(PAGE), "created[gte]": str(since), "created[lt]": str(until)}
        if after:
            parameters["starting_after"] = after
        body, served_at, requested_at = await self._get(path, parameters)
        stripe_list = _decode(body, _Listed)
        objects = [bytes(item) for item in stripe_list.data]
        last = _decode(objects[-1], _Named) if objects else None
        texts = [await self._complete(item) for item in objects]
        oldest = last.created if last else since
        return Page(texts, stripe_list.has_more and bool(objects), last and last.id, oldest, served_at, requested_at)

    async def retrieve(self, path: str, object_: str, id: str) -> Page:
        """Retrieve an object, as a page of one. A deleted or missing object is returned as a deletion stub."""
        body, served_at, requested_at = await self._get(f"{path}/{quote(id, safe='')}", {}, missing=True)
        text = json.dumps({"id": id, "object": object_, "deleted": True}) if body is None else await self._complete(body)
        return Page([text], False, id, 0, served_at, requested_at)

    async def server_time(self, path: str) -> datetime:
        """Return a time that has passed by Stripe's clock; fails if the key may not read."""
        return (await self._get(path, {"limit": "1"}))[1]

    async def _complete(self, raw: bytes) -> str:
        """Return an object's JSON with its truncated lists completed and without characters that PostgreSQL cannot store."""
        unstorable = b"\\u0000" in raw or b"\\ud" in raw or b"\\uD" in raw
        truncated = b'"has_more":true' in raw or b'"has_more": true' in raw
        if not unstorable and not truncated:
            return raw.decode()
        document = cast("dict[str, Any]", json.loads(raw))
        if truncated:
            for item in document.values():
                if isinstance(item, dict) and cast("dict[str, Any]", item).get("has_more") is True:
                    await self._complete_list(cast("dict[str, Any]", item))
        return json.dumps(storable(document))

    async def _complete_list(self, inner: dict[str, Any]) -> None:
        """Complete an object's own list. Some lists, such as expanded ones, have no URL to continue from."""
        url, data = inner.get("url"), inner.get("data")
        while inner.get("has_more") is True and isinstance(url, str) and url.startswith("/v1/") and data:
            after = str(data[-1].get("id", ""))
            path, _, query = url.partition("?")
            body, _, _ = await self._get(path, {**dict(parse_qsl(query)), "limit": str(PAGE), "starting_after": after})
            more = cast("dict[str, Any]", json.loads(body or b"{}"))
            data += more.get("data") or []
            inner["has_more"] = bool(more.get("has_more")) and bool(more.get("data"))

    async def _get(self, path: str, query: dict[str, str], *, missing: bool = False) -> tuple[Any, datetime, datetime]:
        """Return the body, the earliest time of the response by Stripe's clock, and the request's time.

        The body of a missing object is None.
        """
        try:
            return await retried(lambda: self._attempt(path, query, missing=missing), BACKOFF)
        except Passing as error:
            raise StripeUnavailable(f"Stripe is not available ({path}: {error.message}, {MAX_ATTEMPTS} attempts).") from error

    async def _attempt(self, path: str, query: dict[str, str], *, missing: bool) -> tuple[Any, datetime, datetime]:
        async with self._gate:
            self.calls += 1
            requested_at, started = datetime.now(UTC), time.monotonic()
            try:
                response = await self._client.get(path, params=query)
            except httpx2.HTTPError as error:
                raise Passing(type(error).__name__) from error
        if response.status_code >= 500 or response.status_code in {409, 423}:
            raise Passing(f"HTTP {response.status_code}")
        if response.status_code == 429:
            self.throttled += 1
            seconds = retry_after(response.headers)
            self._gate.slow_down(1.0 if seconds is None else seconds)  # pauses all requests, including this one
            raise Passing("HTTP 429")
        if response.status_code == 404 and missing and _is_missing(response.content):
            return None, _served_at(response, requested_at, started), requested_at
        if response.status_code >= 400:
            raise StripeRefused(f"Stripe refuses {path}: {_message(response.content) or f'HTTP {response.status_code}'}")
        self._gate.speed_up()
        return response.content, _served_at(response, requested_at, started), requested_at


class _Gate:
    """Concurrency limit that falls after a 429 and pauses all requests."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._limit = float(maximum)
        self._inside = 0
        self._until = 0.0
        self._turn = asyncio.Condition()

    async def __aenter__(self) -> None:
        async with self._turn:
            await self._turn.wait_for(lambda: self._inside < self._limit)
            self._inside += 1
        while (wait := self._until - time.monotonic()) > 0:  # noqa: ASYNC110  # polled
            await asyncio.sleep(wait)

    async def __aexit__(self, *_: object) -> None:
        async with self._turn:
            self._inside -= 1
            self._turn.notify()

    def slow_down(self, seconds: float) -> None:
        """Pause all requests, then continue with three quarters of the concurrency."""
        until = time.monotonic() + min(seconds, MAX_PAUSE)
        if until > self._until + 0.2:  # 429s of requests sent at the same time count once
            self._limit = max(1.0, self._limit * 0.75)
            log.info("Stripe limits the request rate", seconds=round(seconds, 1), at_once=int(self._limit))
        self._until = max(self._until, until)

    def speed_up(self) -> None:
        """Raise the concurrency by one after as many successes as the current limit."""
        self._limit = min(float(self._maximum), self._limit + 1 / self._limit)


def _served_at(response: httpx2.Response, requested_at: datetime, started: float) -> datetime:
    """Return the earliest time of a response.

    The Date header is cut to the second; the response is not older than the request.
    """
    try:
        date_header = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return requested_at
    return date_header.astimezone(UTC) - timedelta(seconds=time.monotonic() - started)


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StripeUnavailable("Stripe's response is not a list of objects.") from error


class _Error(msgspec.Struct):
    message: str = ""
    code: str = ""


class _Failed(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


def _message(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Failed).error.message[:300]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def _is_missing(body: bytes) -> bool:
    """Return whether the object does not exist. An object of the other mode (test or live) exists, but not for this key."""
    try:
        error = msgspec.json.decode(body, type=_Failed).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return error.code == "resource_missing" and "similar object exists" not in error.message


@cache
def _tls_context() -> ssl.SSLContext:
    """Return the trusted certificates; cached, because reading them takes longer than a request."""
    return httpx2.create_ssl_context()
