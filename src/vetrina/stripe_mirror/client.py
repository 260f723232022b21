"""Stripe's lists and objects over HTTP, within its limits: who is told 429 waits as long as it says, and asks less at once.

Source: Stripe's API reference, "Pagination", "Rate limits", "Errors". Asks in the account's own API version, which is that
of its webhooks too, unless an endpoint was made with another.
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
from urllib.parse import parse_qsl

import httpx2
import msgspec
import structlog

from vetrina.core.errors import Unavailable
from vetrina.core.retry import Backoff, Passing, retried, retry_after
from vetrina.core.settings import Settings
from vetrina.stripe_mirror.events import keepable
from vetrina.stripe_mirror.model import NoKey

log = structlog.get_logger("vetrina.stripe_mirror")

AT_ONCE = 16
"""Requests on their way at the same time, at most; Stripe allows a hundred a second (25 in test mode)."""
PAGE = 100
"""Objects of a page, the most that Stripe gives."""
TRIES = 8
TIMEOUT = 30.0
LONGEST = 60.0
"""Seconds that one pause lasts at most."""
BACKOFF = Backoff(tries=TRIES, first=0.25, longest=8.0)


class StripeAway(Unavailable):
    """Stripe does not answer just now."""


class StripeRefused(Unavailable):
    """Stripe refuses what we ask. Is STRIPE_API_KEY right, and may it read?"""


class Page(msgspec.Struct, frozen=True):
    """Objects as Stripe sent them. It cannot have read them before `at` by its own clock; we asked at `began`."""

    objects: list[str]
    has_more: bool
    last_id: str | None
    oldest: int
    """When the last of them was created (seconds)."""
    at: datetime
    began: datetime


class _Listed(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


class _Named(msgspec.Struct):
    id: str
    created: int = 0


class Reader:
    """Asks one Stripe account. Use as an async context manager. Raises StripeAway and StripeRefused (503)."""

    def __init__(self, key: str, base: str, *, at_once: int = AT_ONCE, timeout: float = TIMEOUT) -> None:
        self._client = httpx2.AsyncClient(
            base_url=base.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"},
            verify=_trust(),
            timeout=timeout,
            trust_env=False,
            limits=httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once),
        )
        self._gate = _Gate(at_once)
        self.calls = 0
        self.throttled = 0
        """Answers that were 429."""

    @classmethod
    def of(cls, settings: Settings, **more: Any) -> Self:
        """As the settings say. Raises NoKey (503) without STRIPE_API_KEY."""
        if not settings.stripe_api_key:
            raise NoKey
        return cls(settings.stripe_api_key, settings.stripe_api_base, **more)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def page(self, path: str, *, since: int, until: int, after: str | None, **query: str) -> Page:
        """What was created from `since` until before `until` (seconds), the newest first, from behind `after` on."""
        asked = {**query, "limit": str(PAGE), "created[gte]": str(since), "created[lt]": str(until)}
        if after:
            asked["starting_after"] = after
        body, at, began = await self._get(path, asked)
        found = _decode(body, _Listed)
        objects = [bytes(each) for each in found.data]
        last = _decode(objects[-1], _Named) if objects else None
        texts = [await self._whole(each) for each in objects]
        return Page(texts, found.has_more and bool(objects), last and last.id, last.created if last else since, at, began)

    async def one(self, path: str, object_: str, id: str) -> Page:
        """One object, as a page of one. What is not there any more comes as the stub of a deleted one."""
        body, at, began = await self._get(f"{path}/{id}", {}, missing=True)
        text = json.dumps({"id": id, "object": object_, "deleted": True}) if body is None else await self._whole(body)
        return Page([text], False, id, 0, at, began)

    async def now(self, path: str) -> datetime:
        """A moment that has passed by Stripe's clock; also proves that the key may read."""
        return (await self._get(path, {"limit": "1"}))[1]

    async def _whole(self, raw: bytes) -> str:
        """The object's JSON: lists inside of it that were cut off read to their ends, without what PostgreSQL cannot keep."""
        odd = b"\\u0000" in raw or b"\\ud" in raw or b"\\uD" in raw
        cut = b'"has_more":true' in raw or b'"has_more": true' in raw
        if not odd and not cut:
            return raw.decode()
        found = cast("dict[str, Any]", json.loads(raw))
        if cut:
            for each in found.values():
                if isinstance(each, dict) and cast("dict[str, Any]", each).get("has_more") is True:
                    await self._rest(cast("dict[str, Any]", each))
        return json.dumps(keepable(found))

    async def _rest(self, inner: dict[str, Any]) -> None:
        """Read an object's own list to its end. Some lists, such as expanded ones, have no address to go on at."""
        url, data = inner.get("url"), inner.get("data")
        while inner.get("has_more") is True and isinstance(url, str) and url.startswith("/v1/") and data:
            after = str(data[-1].get("id", ""))
            path, _, query = url.partition("?")
            body, _, _ = await self._get(path, {**dict(parse_qsl(query)), "limit": str(PAGE), "starting_after": after})
            more = cast("dict[str, Any]", json.loads(body or b"{}"))
            data += more.get("data") or []
            inner["has_more"] = bool(more.get("has_more")) and bool(more.get("data"))

    async def _get(self, path: str, query: dict[str, str], *, missing: bool = False) -> tuple[Any, datetime, datetime]:
        """The body (None for what is missing), when Stripe answered at the earliest, and when we asked."""
        try:
            return await retried(lambda: self._attempt(path, query, missing=missing), BACKOFF)
        except Passing as error:
            raise StripeAway(f"Stripe does not answer just now ({path}: {error.message}, {TRIES} times).") from error

    async def _attempt(self, path: str, query: dict[str, str], *, missing: bool) -> tuple[Any, datetime, datetime]:
        async with self._gate:
            self.calls += 1
            began, started = datetime.now(UTC), time.monotonic()
            try:
                answer = await self._client.get(path, params=query)
            except httpx2.HTTPError as error:
                raise Passing(type(error).__name__) from error
        if answer.status_code >= 500 or answer.status_code in {409, 423}:
            raise Passing(f"HTTP {answer.status_code}")
        if answer.status_code == 429:
            self.throttled += 1
            asked = retry_after(answer.headers)
            self._gate.slower(1.0 if asked is None else asked)  # every caller waits there, this one too
            raise Passing("HTTP 429")
        if answer.status_code == 404 and missing and _is_missing(answer.content):
            return None, _earliest(answer, began, started), began
        if answer.status_code >= 400:
            raise StripeRefused(f"Stripe refuses {path}: {_message(answer.content) or f'HTTP {answer.status_code}'}")
        self._gate.faster()
        return answer.content, _earliest(answer, began, started), began


class _Gate:
    """Lets so many through at once; all wait when one was told to."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._inside = 0
        self._until = 0.0
        self._turn = asyncio.Condition()

    async def __aenter__(self) -> None:
        async with self._turn:
            await self._turn.wait_for(lambda: self._inside < self._limit)
            self._inside += 1
        while (wait := self._until - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    async def __aexit__(self, *_: object) -> None:
        async with self._turn:
            self._inside -= 1
            self._turn.notify()

    def slower(self, seconds: float) -> None:
        """Nobody asks for so long, and then a quarter fewer at once."""
        until = time.monotonic() + min(seconds, LONGEST)
        if until > self._until + 0.2:  # those who were on their way at the same time count once
            self._limit = max(1.0, self._limit * 0.75)
            log.info("Stripe asks us to slow down", seconds=round(seconds, 1), at_once=int(self._limit))
        self._until = max(self._until, until)

    def faster(self) -> None:
        """After as many good answers as go at once, one more."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)


def _earliest(answer: httpx2.Response, began: datetime, started: float) -> datetime:
    """The Date header says, cut to the second, when the answer was made; it was read by then, but not before we asked."""
    try:
        dated = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return began
    return dated.astimezone(UTC) - timedelta(seconds=time.monotonic() - started)


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StripeAway("Stripe answered with something that is no list of objects.") from error


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
    """Whether it says that there is no such object; one of the other mode (test, live) is there, but not for this key."""
    try:
        error = msgspec.json.decode(body, type=_Failed).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return error.code == "resource_missing" and "similar object exists" not in error.message


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that we trust; read once, for it takes longer than a whole request."""
    return httpx2.create_ssl_context()
