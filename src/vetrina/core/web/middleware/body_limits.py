"""Limits of request bodies, counted while they arrive.

A route takes forms of 64 KB and other bodies of 256 KB, unless it sets `request_max_body_size`, which Litestar then enforces. A
plain ASGI route, such as a webhook, counts for itself.
"""

from __future__ import annotations

from typing import Any, cast

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from vetrina.core.errors import Malformed, TooLarge
from vetrina.core.web.forms import FORM_BYTES

BODY_BYTES = 256 * 1024
"""Limit of JSON and of every other body that is not a form."""
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")


class BodyIncomplete(Malformed):
    """The request's body did not arrive completely."""

    status = 400


class BodyLimits(ASGIMiddleware):
    """Answers 413 to a body that is too large: at once where its size is announced, else as it arrives."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Check the announced size and count the rest.

        Raises TooLarge (413), and BodyIncomplete (400) in the code that reads the body.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        announced = headers.get(b"content-length", b"")
        resolve = getattr(cast("Any", scope)["route_handler"], "resolve_request_max_body_size", None)
        if resolve is None or not (announced or b"transfer-encoding" in headers):
            await next_app(scope, receive, send)
            return
        limit: Any = resolve()
        if limit == BODY_BYTES and headers.get(b"content-type", b"").lower().startswith(_FORMS):
            limit = FORM_BYTES
        own = limit not in {FORM_BYTES, BODY_BYTES}
        if not own and limit is not None and announced.isdigit() and int(announced) > limit:
            raise TooLarge
        size, complete = 0, False

        async def counted() -> Any:
            nonlocal size, complete
            message: Any = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if not own and limit is not None and size > limit:
                    raise TooLarge
            elif not complete:
                raise BodyIncomplete
            return message

        await next_app(scope, counted, send)
