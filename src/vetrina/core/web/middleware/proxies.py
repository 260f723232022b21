"""Who is asking, where proxies stand between: `X-Forwarded-For` and `-Proto` of those that are trusted."""

from __future__ import annotations

import ipaddress
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_FORWARDING = {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"}


class ClientAddress:
    """Puts an address into `scope["client"]`: the one that a trusted proxy forwards, otherwise the connection's own.

    What a proxy forwards need not be an address ("unknown", a name, nothing): the connection's own stands then. The zone of a
    link-local address is left out, which PostgreSQL's `inet` does not take.
    """

    def __init__(self, app: Any, trusted: str = "") -> None:
        self._app = app
        self._inner: Any = ProxyHeadersMiddleware(self._checked, trusted) if trusted else self._checked

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection, as ASGI asks for it."""
        if scope["type"] == "http":
            scope["vetrina.peer"] = scope.get("client")
        await self._inner(scope, receive, send)

    async def _checked(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            peer = scope["vetrina.peer"]
            scope["client"] = _address(scope.get("client")) or _address(peer)
        await self._app(scope, receive, send)


def is_local(scope: Any) -> bool:
    """Return whether a program on this machine asks, without a proxy between."""
    client = _address(scope.get("client"))
    forwarded = any(name in _FORWARDING for name, _ in scope["headers"])
    return client is not None and not forwarded and ipaddress.ip_address(client[0]).is_loopback


def _address(client: tuple[str, int] | None) -> tuple[str, int] | None:
    host = client[0].partition("%")[0] if client else ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return host, client[1] if client else 0
