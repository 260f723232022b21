"""Guard of the API: a query parameter that a route does not declare is refused, because a misspelt filter would match all."""

from __future__ import annotations

from functools import cache
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from vetrina.core.errors import Refusal
from vetrina.core.web.route_options import option

FILTERS = "filter_prefixes"


class UnknownParameter(Refusal):
    """This address takes no such query parameter."""

    status = 400


def filters(*prefixes: str) -> dict[str, Any]:
    """Return the option of a route that takes any parameter whose name begins with one of these prefixes."""
    return {FILTERS: prefixes}


def declared_parameters(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard: refuse a GET request with a parameter that its route does not declare. Raises UnknownParameter (400)."""
    if connection.scope["type"] != "http" or connection.scope["method"] not in {"GET", "HEAD"}:
        return
    names = set(connection.query_params)
    if not names:
        return
    declared = _declared(handler, frozenset(connection.path_params))
    prefixes = option(connection.scope, FILTERS) or ()
    unknown = sorted(name for name in names - declared if not name.startswith(tuple(prefixes)))
    if unknown:
        raise UnknownParameter(parameters=unknown, known=sorted(declared))


@cache
def _declared(handler: BaseRouteHandler, path_parameters: frozenset[str]) -> frozenset[str]:
    """Return the names of a route's query parameters."""
    model = handler.create_kwargs_model(dict.fromkeys(path_parameters))  # type: ignore[arg-type]
    return frozenset(parameter.field_alias for parameter in model.expected_query_params)
