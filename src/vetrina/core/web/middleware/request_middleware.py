"""The outermost layer: request id, access log, metrics, security headers, origin check."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from vetrina.core.database.ids import new_id
from vetrina.core.web.http.cookies import without_backslashes
from vetrina.core.web.route_options import option

log = structlog.get_logger("vetrina.web")
REQUESTS = Counter("vetrina_http_requests_total", "Requests by method, route and status.", ["method", "route", "status"])
SECONDS = Histogram(
    "vetrina_http_seconds",
    "Seconds to the response's start, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+")
SAFE = {"GET", "HEAD", "OPTIONS"}


def policy(forms: Iterable[str] = ()) -> str:
    """Return the Content-Security-Policy of a page whose forms may also redirect to the origins `forms`.

    Browsers apply form-action to every redirect after a form's submission.
    """
    return " ".join([_POLICY, *dict.fromkeys(form for form in forms if _ORIGIN.fullmatch(form))])


def security_headers(secure: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers of every response."""
    headers = [
        (b"content-security-policy", policy().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]
    if secure:
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    return headers


def trace(app: ASGIApp, *, secure: bool) -> Callable[..., Any]:
    """Wrap the ASGI application."""
    always = security_headers(secure)

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        scope["headers"] = without_backslashes(cast("list[tuple[bytes, bytes]]", scope["headers"]))
        given = next((value for name, value in scope["headers"] if name == b"x-request-id" and _ID.fullmatch(value)), None)
        request_id = given.decode() if given else str(new_id())
        scope["vetrina.request_id"] = request_id  # type: ignore[typeddict-unknown-key]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        seconds: float | None = None
        status = 500
        is_api = scope["path"].startswith("/api/v1/")

        async def sending(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                seconds = time.perf_counter() - started
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                extra = [header for header in always if header[0] not in present]
                if is_api and b"cache-control" not in present:
                    extra.append((b"cache-control", b"no-store"))  # it is about whoever asks
                message["headers"] = [*message["headers"], *extra, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            if foreign(scope):
                await _refuse(sending)
            else:
                await app(scope, receive, sending)
        finally:
            # Up to the response's start: an event stream ends when its client leaves.
            _count(scope, status, time.perf_counter() - started if seconds is None else seconds)

    return traced


def _count(scope: Any, status: int, seconds: float) -> None:
    path: str = scope["path"]
    route = str(scope.get("path_template") or ("/static" if path.startswith("/static") else "other"))
    REQUESTS.labels(scope["method"], route, status).inc()
    SECONDS.labels(route).observe(seconds)
    quiet = option(scope, "quiet") or path.startswith("/static")
    if status >= (400 if option(scope, "for_programs") else 500) or not quiet:
        # Links in mail carry a code in the path: the log must not contain it.
        label = route if "{token" in route else path
        log.info("request", method=scope["method"], path=label, status=status, ms=round(seconds * 1000, 1))


def foreign(scope: Any) -> bool:
    """Return whether a browser sent this unsafe request from another site (CSRF).

    Browsers send the source site in Sec-Fetch-Site, older ones in Origin; programs send neither. Requests without a cookie are
    checked too: an attacker could sign a user in to the attacker's account. A bearer token is never sent automatically, so a
    request with one and no cookie is legitimate. The session cookie is SameSite=Lax besides.
    """
    if scope["method"] in SAFE:
        return False
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if b"authorization" in headers and b"cookie" not in headers:
        return False
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in {b"same-origin", b"none"}
    origin = headers.get(b"origin")
    return origin is not None and urlsplit(origin.decode("latin-1")).netloc != headers.get(b"host", b"").decode("latin-1")


async def _refuse(send: Send) -> None:
    body = b'{"type":"urn:vetrina:foreign-origin","title":"Foreign origin","status":403,"detail":"This came from another site."}'
    await send(
        {
            "type": "http.response.start",
            "status": 403,
            "headers": [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
