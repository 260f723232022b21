"""Rate limit middleware: requests over the limit get 429 with Retry-After."""

from __future__ import annotations

from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vetrina.core.rate_limits import Limits
from vetrina.core.services import Services
from vetrina.core.web.request import scope_value
from vetrina.core.web.route_options import option

API = "/api/v1/"


class Limiting(ASGIMiddleware):
    """Counts a request against the limits of its route, and an API request against the API's limit. Runs after Identify."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Count the request, then call the next application. Raises RateLimited (429)."""
        by_address, by_account = option(scope, "address_limit"), option(scope, "account_limit")
        of_api = scope["path"].startswith(API)
        if not of_api and by_address is None and by_account is None:
            await next_app(scope, receive, send)
            return
        services: Services = scope["litestar_app"].state.services
        counted = services.get(Limits)
        principal = scope_value(scope, "vetrina.principal")
        address = scope["client"][0] if scope["client"] else "unknown"
        subject = str(principal.id) if principal else address
        state = None
        if by_address is not None:
            state = await counted.consume(by_address, address)
        elif of_api:
            state = await counted.consume("api", subject)
        if by_account is not None:
            state = await counted.consume(by_account, subject) or state
        if state is None:
            await next_app(scope, receive, send)
            return
        extra = [(name.lower().encode(), value.encode()) for name, value in state.headers().items()]

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = [*message["headers"], *extra]
                message["headers"] = headers
            await send(message)

        await next_app(scope, receive, telling)
