"""Guards for what only some may do. Give them to routes: `guards=[operator]`.

Nobody signed in: 401, or the sign-in page. Signed in without the role: 404 in the API, where a stranger need not
learn what there is; 403 on a page. A page's roles come with its session; a program's are read here, with whether its
session still lives, so that a role or a session that was taken away ends at once.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vetrina.accounts.model import OPERATORS, SessionEnded
from vetrina.accounts.roles import queries as queries_roles
from vetrina.core.errors import Forbidden, NotFound
from vetrina.core.services import Services
from vetrina.core.web.request import Principal, noted, signed_in

Connection = ASGIConnection[Any, Any, Any, Any]


async def operator(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: an admin or a superuser."""
    await _one_of(OPERATORS, connection, handler)


async def superuser(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: a superuser, who may also give and take roles."""
    await _one_of(frozenset({"superuser"}), connection, handler)


async def _one_of(roles: frozenset[str], connection: Connection, handler: BaseRouteHandler) -> None:
    signed_in(connection, handler)
    scope = cast("dict[str, Any]", connection.scope)
    principal: Principal = noted(scope, "vetrina.principal")
    if not principal.browser:
        services: Services = connection.app.state.services
        async with services.db.read() as tx:
            found = await tx.maybe(queries_roles.ROLES_OF_SESSION, account=principal.id, session=principal.session_id)
        if found is None:
            raise SessionEnded
        principal = scope["vetrina.principal"] = msgspec.structs.replace(
            principal, roles=frozenset(found), is_operator=not OPERATORS.isdisjoint(found)
        )
    if roles.isdisjoint(principal.roles):
        raise NotFound if connection.scope["path"].startswith("/api/") else Forbidden
    scope["vetrina.as_operator"] = True
