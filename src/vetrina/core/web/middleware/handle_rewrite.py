"""`/@ada` is the profile page of a handle: the router, which matches only whole path segments, gets `/@/ada`."""

from __future__ import annotations

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send


def rewrite_handle_path(app: ASGIApp) -> ASGIApp:
    """Wrap the ASGI application."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/@"):
            changed: Any = scope
            changed["path"] = f"/@/{scope['path'][2:].removeprefix('/')}"
        await app(scope, receive, send)

    return wrapped


def display_path(path: str) -> str:
    """Return a path as it is shown to users."""
    return f"/@{path[3:]}" if path.startswith("/@/") else path
