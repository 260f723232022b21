"""Error responses: problem+json (RFC 9457) for API clients, a page for browsers."""

from __future__ import annotations

import errno
from traceback import walk_tb
from typing import Any, cast
from urllib.parse import quote

import litestar
import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.response import Redirect

from vetrina.core.database.errors import FULL
from vetrina.core.errors import Malformed, Refusal, Unavailable
from vetrina.core.web import pages
from vetrina.core.web.request import Request, SignInFirst, scope_value
from vetrina.web.i18n import say

log = structlog.get_logger("vetrina.web")
PROBLEM = "application/problem+json"


def refused(request: litestar.Request[Any, Any, Any], error: Refusal) -> Response[Any]:
    """Render a refusal."""
    ours = cast(Request, request)
    if ours.is_api:
        headers = error.response_headers()
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return _problem(error.problem(), error.status, headers)
    if error.status == 401:
        return to_sign_in(request, SignInFirst(request.url.path if request.method == "GET" else "/"))
    return pages.refused(ours, error)


def to_sign_in(request: litestar.Request[Any, Any, Any], error: SignInFirst) -> Redirect:
    """Redirect to the sign-in page."""
    return pages.redirect(f"{cast(Request, request).services.modules.sign_in}?next={quote(error.path, safe='')}")


def http(request: litestar.Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Render Litestar's errors: unknown routes, unreadable bodies, values of the wrong type."""
    ours = cast(Request, request)
    status, extra = error.status_code, error.extra
    detail = error.detail
    cause = _cause(error)
    if status == 400 and (isinstance(error, ValidationException) or isinstance(cause, msgspec.ValidationError)):
        status = 422
        message = str(cause) if isinstance(cause, msgspec.ValidationError) else ""
        detail = _messages(extra) or message or say("The input is invalid.")
    elif status == 400 and isinstance(cause, msgspec.DecodeError | UnicodeDecodeError):
        detail = say("The body is not valid JSON.")
    elif status == 404:
        detail = say("Not found.")
    if status >= 500:
        log.error("request failed", status=status, exc_info=error)
        detail = say("Internal error.")
    if ours.is_api:
        body: dict[str, Any] = {"type": "about:blank", "title": _title(status), "status": status, "detail": detail}
        if status == 422 and isinstance(extra, list):
            body["errors"] = extra
        return _problem(body, status, dict(error.headers or {}))
    return pages.error(ours, status, detail)


def unexpected(request: litestar.Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Render an unexpected error: the log has the traceback, the response only the request id."""
    ours = cast(Request, request)
    if _unreadable(error):
        return refused(request, Malformed("The body is not valid JSON."))
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        log.error("no space left on the disk", error=str(error))
        return refused(request, Unavailable(FULL))
    log.error("request failed", exc_info=error)
    request_id = str(scope_value(request.scope, "vetrina.request_id") or "")
    detail = repr(error) if ours.services.settings.development else say("Internal error.")
    if ours.is_api:
        body = {"type": "about:blank", "title": _title(500), "status": 500, "detail": detail, "request_id": request_id}
        return _problem(body, 500, {})
    return pages.error(ours, 500, detail, request_id=request_id)


HANDLERS: dict[Any, Any] = {Refusal: refused, SignInFirst: to_sign_in, HTTPException: http, Exception: unexpected}


def _problem(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=PROBLEM, headers=headers)


def _title(status: int) -> str:
    return {400: "Malformed", 404: "Not found", 405: "Method not allowed", 413: "Too large", 422: "Invalid", 429: "Busy"}.get(
        status, "Internal error" if status >= 500 else "Refused"
    )


def _unreadable(error: Exception) -> bool:
    """Return whether the body itself made the decoder fail: invalid UTF-8, too deeply nested brackets."""
    if not isinstance(error, UnicodeDecodeError | RecursionError):
        return False
    return any(frame.f_code.co_name == "decode_json" for frame, _ in walk_tb(error.__traceback__))


def _messages(extra: Any) -> str:
    if not isinstance(extra, list):
        return ""
    parts: list[str] = []
    for item in cast("list[dict[str, Any]]", extra):
        key, message = item.get("key"), item.get("message")
        if message == "'data'":
            parts.append("A request body is required.")  # Litestar names its own argument
        elif message:
            parts.append(f"{key}: {message}" if key else str(message))
    return "; ".join(parts)


def _cause(error: HTTPException) -> BaseException | None:
    """Return the original error: Litestar wraps msgspec's errors once or twice."""
    cause = error.__cause__
    return cause.__cause__ if isinstance(cause, SerializationException) else cause
