"""The client's address behind proxies: `X-Forwarded-For` and `-Proto` of trusted ones."""

from __future__ import annotations

import ipaddress
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_FORWARDING = {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"}


class ClientAddress:
    """Sets `scope["client"]` to the address that a trusted proxy forwards, otherwise to the connection's own.

    A forwarded value may be no address ("unknown", a name, nothing): then the connection's own is kept. The zone of a
    link-local address is removed, since PostgreSQL's `inet` does not accept it.
    """

    def __init__(self, app: Any, trusted: str = "") -> None:
        self._app = app
        self._inner: Any = ProxyHeadersMiddleware(self._checked, trusted) if trusted else self._checked

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            scope["vetrina.peer"] = scope.get("client")
        await self._inner(scope, receive, send)

    async def _checked(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            peer = scope["vetrina.peer"]
            scope["client"] = _address(scope.get("client")) or _address(peer)
        await self._app(scope, receive, send)


def is_local(scope: Any) -> bool:
    """Return whether the request comes from this machine, without a proxy between."""
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
