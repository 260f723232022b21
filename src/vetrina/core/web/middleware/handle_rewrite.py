"""`/@ada` is the profile of whoever has the handle: the router, which knows only whole parts of a path, sees `/@/ada`."""

from __future__ import annotations

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send


def at_signs(app: ASGIApp) -> ASGIApp:
    """Wrap the ASGI application."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/@"):
            changed: Any = scope
            changed["path"] = f"/@/{scope['path'][2:].removeprefix('/')}"
        await app(scope, receive, send)

    return wrapped


def as_written(path: str) -> str:
    """A path as people see it."""
    return f"/@{path[3:]}" if path.startswith("/@/") else path
