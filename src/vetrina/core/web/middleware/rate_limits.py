"""Rate limits at the door: who asks too often gets 429 and is told when to come back."""

from __future__ import annotations

from typing import Any, cast

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vetrina.core.rate_limits import limits
from vetrina.core.services import Services
from vetrina.core.web.request import noted

DOORS = ("/api/v1/auth/", "/sign-in", "/sign-up", "/reset", "/verify")
OWN = {
    ("POST", "/api/v1/files"): "uploads",
    ("POST", "/library"): "uploads",
    ("POST", "/api/v1/generations"): "generations",
    ("POST", "/studio"): "generations",
}
"""What has a limit of its own, by account."""


class Limiting(ASGIMiddleware):
    """Counts a request against the limits that it falls under. Stands after Identify."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Count, then go on. Raises RateLimited (429)."""
        path, method = scope["path"], str(cast("Any", scope)["method"])
        door = method == "POST" and path.startswith(DOORS)
        if not door and not path.startswith("/api/v1/") and (method, path) not in OWN:
            await next_app(scope, receive, send)
            return
        services: Services = scope["litestar_app"].state.services
        counted = services.part(limits)
        principal = noted(scope, "vetrina.principal")
        address = scope["client"][0] if scope["client"] else "unknown"
        subject = str(principal.id) if principal else address
        standing = None
        if door:
            standing = await counted.spend("sign_in", address)
        elif path.startswith("/api/v1/"):
            standing = await counted.spend("api", subject)
        if (own := OWN.get((method, path))) is not None:
            standing = await counted.spend(own, subject) or standing
        if standing is None:
            await next_app(scope, receive, send)
            return
        extra = [(name.lower().encode(), value.encode()) for name, value in standing.headers().items()]

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = [*message["headers"], *extra]
                message["headers"] = headers
            await send(message)

        await next_app(scope, receive, telling)
