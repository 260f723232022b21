"""Authentication: reads the bearer token of a program or the cookie of a browser once for each request."""

from __future__ import annotations

from typing import Any

from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from vetrina.accounts.model import OPERATORS
from vetrina.accounts.sessions import queries, tokens
from vetrina.accounts.sessions.revocations import RevokedSessions
from vetrina.accounts.sessions.tokens import AccessTokens, SessionToken
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Unauthenticated
from vetrina.core.services import Services
from vetrina.core.web.http import cookies
from vetrina.core.web.request import Principal, scope_value
from vetrina.core.web.route_options import option
from vetrina.web import i18n, time_zones


class Identify(ASGIMiddleware):
    """Puts a Principal into the scope. An invalid bearer token is answered with 401."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Authenticate the request, then call the next application, which writes in the reader's language and zone."""
        zone = language = None
        accepted = None
        if not option(scope, "anonymous"):
            services: Services = scope["litestar_app"].state.services
            authorization = cookie = None
            for name, value in scope["headers"]:
                if name == b"authorization":
                    authorization = value.decode("latin-1")
                elif name == b"cookie":
                    cookie = value.decode("latin-1")
                elif name == b"accept-language":
                    accepted = value.decode("latin-1")
            if authorization is not None:
                scheme, _, text = authorization.partition(" ")
                principal = services.get(AccessTokens).read(text.strip()) if scheme.lower() == "bearer" else None
                if principal is None or principal.session_id in services.get(RevokedSessions):
                    raise Unauthenticated("The access token is not valid or has expired.")
                scope["vetrina.principal"] = principal  # type: ignore[typeddict-unknown-key]
            elif cookie is not None:
                await _authenticate_by_cookie(services, cookie, scope)
                head: dict[str, Any] = scope_value(scope, "vetrina.page_head") or {}
                zone = time_zones.named(head.get("time_zone")) or time_zones.named(cookies.value_of(cookie, time_zones.COOKIE))
                language = i18n.named(cookies.value_of(cookie, i18n.COOKIE)) or i18n.named(head.get("language"))
        path: str = scope["path"]
        if path.startswith("/api/") and ("vetrina.principal" in scope or path.startswith("/api/v1/auth/")):
            send = _not_stored(send)
        with time_zones.use(zone or time_zones.UTC), i18n.use(language or i18n.preferred(accepted)):
            await next_app(scope, receive, send)


def _not_stored(send: Send) -> Send:
    """Forbid caches to store an API response about a person, unless its route has set the header."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                message["headers"] = [*headers, (b"cache-control", b"no-store")]
        await send(message)

    return wrapped


async def _authenticate_by_cookie(services: Services, header: str, scope: Any) -> None:
    value = cookies.value_of(header, cookie_name(services))
    token = tokens.parse(value) if value else None
    if token is None:
        return
    ip = scope["client"][0] if scope["client"] else None
    statement = queries.session_owner(services.modules.session_columns)
    async with services.db.read() as tx:
        owner = await tx.fetch_optional(statement, account=token.account_id, id=token.session_id, hash=token.hash, ip=ip)
    if owner is not None:
        scope["vetrina.principal"] = Principal(
            AccountId(owner.account_id),
            token.session_id,
            owner.kind,
            browser=True,
            email=owner.email,
            phone=owner.phone,
            name=owner.name,
            roles=frozenset(owner.roles),
            is_operator=not OPERATORS.isdisjoint(owner.roles),
        )
        scope["vetrina.page_head"] = owner.head


def cookie_name(services: Services) -> str:
    """Return the cookie's name. `__Host-` binds it to this host and to TLS; over plain HTTP browsers would drop it."""
    return "__Host-vetrina" if services.settings.secure else "vetrina_session"


def session_cookie(services: Services, token: SessionToken | None) -> Cookie:
    """Return the cookie that signs a browser in, or out with None."""
    return Cookie(
        cookie_name(services),
        value=token.text() if token else "",
        path="/",
        max_age=tokens.SESSION_DAYS * 86400 if token else 0,
        httponly=True,
        secure=services.settings.secure,
        samesite="lax",
    )
