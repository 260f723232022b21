"""Rate limits at the door: who asks too often gets 429 and is told when to come back."""

from __future__ import annotations

from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vetrina.core.rate_limits import limits
from vetrina.core.services import Services
from vetrina.core.web.request import noted
from vetrina.core.web.route_options import option

API = "/api/v1/"


class Limiting(ASGIMiddleware):
    """Counts a request against the limits that its route names, and one of the API against the API's. Stands after Identify."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Count, then go on. Raises RateLimited (429)."""
        by_address, by_account = option(scope, "address_limit"), option(scope, "account_limit")
        of_api = scope["path"].startswith(API)
        if not of_api and by_address is None and by_account is None:
            await next_app(scope, receive, send)
            return
        services: Services = scope["litestar_app"].state.services
        counted = services.part(limits)
        principal = noted(scope, "vetrina.principal")
        address = scope["client"][0] if scope["client"] else "unknown"
        subject = str(principal.id) if principal else address
        standing = None
        if by_address is not None:
            standing = await counted.spend(by_address, address)
        elif of_api:
            standing = await counted.spend("api", subject)
        if by_account is not None:
            standing = await counted.spend(by_account, subject) or standing
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
