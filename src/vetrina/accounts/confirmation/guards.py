"""The check before every route: one with the option `confirmed` needs a session that was confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from litestar import Response

from vetrina.accounts.confirmation import actions, pages
from vetrina.accounts.confirmation.model import PasswordConfirmationRequired
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import option


async def require_confirmation(request: Request) -> Response[Any] | None:
    """Refuse a route with the option `confirmed` until the session was confirmed; Litestar calls this before every route.

    A browser gets a page that asks for the password and keeps the form. Raises PasswordConfirmationRequired (403) for a program.
    """
    needed = option(request.scope, "confirmed")
    if not needed or (callable(needed) and not await cast("Callable[[Request], Awaitable[bool]]", needed)(request)):
        return None
    if await actions.is_confirmed(request.services, request.account):
        return None
    if request.is_api:
        raise PasswordConfirmationRequired
    return pages.ask(request, request.url.path, pages.texts(await request.form()), PasswordConfirmationRequired())
