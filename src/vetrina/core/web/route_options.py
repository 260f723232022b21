"""Options that a route sets for the middleware around it, as keys of Litestar's `opt`.

@post("/files", opt=limited("uploads"))
@get("/media/...", opt={**ANONYMOUS, **QUIET, **UNCOMPRESSED})
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

ANONYMOUS = {"anonymous": True}
"""The response does not depend on the account: no session is read."""
FOR_PROGRAMS = {"for_programs": True}
"""Errors are problem+json outside /api too, and every refusal is logged."""
QUIET = {"quiet": True}
"""Requested so often that only failures are logged."""
CONFIRMED = {"confirmed": True}
"""A dangerous act of an operator, or of an account's owner: the session was confirmed by its password in the last ten minutes."""
NO_COMPRESSION = "no_compression"
UNCOMPRESSED = {NO_COMPRESSION: True}
"""A stream, or data that is compressed already."""


def confirmed_if(needed: Callable[[Any], Awaitable[bool]]) -> dict[str, Any]:
    """Return the option of an act that is dangerous only if `needed` says so of its request; see CONFIRMED."""
    return {"confirmed": needed}


def limited(name: str) -> dict[str, Any]:
    """Return the option that counts each request by its account against the rate limit `name`, besides the API's own."""
    return {"account_limit": name}


def limited_by_address(name: str) -> dict[str, Any]:
    """Return the option that counts each request by its address against the rate limit `name`, instead of the API's own."""
    return {"address_limit": name}


def option(scope: object, key: str) -> Any:
    """Return a route option of an ASGI scope; None if it is not set or no route was matched yet."""
    handler = cast("dict[str, Any]", scope).get("route_handler")
    return handler.opt.get(key) if handler is not None else None
