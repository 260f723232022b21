"""HEAD, answered by every route that answers GET: the same headers, without a body."""

from __future__ import annotations

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

_OF_THE_ROUTE = ("path_template", "route_handler")
"""What the router writes into a scope and the layers outside read."""


def answer_head(app: ASGIApp) -> ASGIApp:
    """Wrap the ASGI application: it sees a GET."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        outer: Any = scope
        if outer["type"] != "http" or outer["method"] != "HEAD":
            await app(scope, receive, send)
            return
        inner = {**outer, "method": "GET"}
        ended = False

        async def without_body(message: Any) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif message["type"] == "http.response.body" and not ended:
                ended = True  # of a stream too: what follows would be read for nothing
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            await app(inner, receive, without_body)  # type: ignore[arg-type]
        finally:
            outer.update({name: inner[name] for name in _OF_THE_ROUTE if name in inner})

    return wrapped
