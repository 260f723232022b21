"""What a route says of itself to the layers around it, as keys of Litestar's `opt`.

    @post("/files", opt=limited("uploads"))
    @get("/media/...", opt={**ANONYMOUS, **QUIET, **UNCOMPRESSED})
"""

from __future__ import annotations

from typing import Any, cast

ANONYMOUS = {"anonymous": True}
"""Answers everybody alike: no session is looked up."""
FOR_PROGRAMS = {"for_programs": True}
"""Refuses with problem+json outside /api too, and every refusal is logged."""
QUIET = {"quiet": True}
"""Is asked for so often that the log holds only what went wrong."""
NO_COMPRESSION = "no_compression"
UNCOMPRESSED = {NO_COMPRESSION: True}
"""Is a stream, or bytes that are compressed already."""


def limited(name: str) -> dict[str, Any]:
    """Return the option that counts each request by its account against the rate limit `name`, besides the API's own."""
    return {"account_limit": name}


def limited_by_address(name: str) -> dict[str, Any]:
    """Return the option that counts each request by its address against the rate limit `name`, instead of the API's own."""
    return {"address_limit": name}


def option(scope: object, key: str) -> Any:
    """Return what the route of an ASGI scope says under `key`; None for nothing, and before a route was found."""
    handler = cast("dict[str, Any]", scope).get("route_handler")
    return handler.opt.get(key) if handler is not None else None
