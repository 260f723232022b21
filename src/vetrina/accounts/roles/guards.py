"""Route guards by role: `guards=[operator]`.

Without a session the answer is 401, or the sign-in page. Without the role it is 404 in the API, which does not reveal what
exists, and 403 on a page. A browser's roles are read with its session; a program's are read here together with the state of
its session, so that a revoked role or session has no effect any more.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vetrina.accounts.model import OPERATORS, SessionEnded
from vetrina.accounts.roles import queries
from vetrina.core.errors import Forbidden, NotFound
from vetrina.core.services import Services
from vetrina.core.web.request import Principal, scope_value, signed_in

Connection = ASGIConnection[Any, Any, Any, Any]


async def operator(connection: Connection, handler: BaseRouteHandler) -> None:
    """Require an admin or a superuser."""
    await _require_role(OPERATORS, connection, handler)


async def superuser(connection: Connection, handler: BaseRouteHandler) -> None:
    """Require a superuser, who may also grant and revoke roles."""
    await _require_role(frozenset({"superuser"}), connection, handler)


async def _require_role(roles: frozenset[str], connection: Connection, handler: BaseRouteHandler) -> None:
    signed_in(connection, handler)
    scope = cast("dict[str, Any]", connection.scope)
    principal: Principal = scope_value(scope, "vetrina.principal")
    if not principal.browser:
        services: Services = connection.app.state.services
        async with services.db.read() as tx:
            current = await tx.fetch_optional(queries.ROLES_OF_SESSION, account=principal.id, session=principal.session_id)
        if current is None:
            raise SessionEnded
        principal = scope["vetrina.principal"] = msgspec.structs.replace(
            principal, roles=frozenset(current), is_operator=not OPERATORS.isdisjoint(current)
        )
    if roles.isdisjoint(principal.roles):
        raise NotFound if connection.scope["path"].startswith("/api/") else Forbidden
    scope["vetrina.as_operator"] = True
