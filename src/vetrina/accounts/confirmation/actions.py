"""Confirmation actions: confirm a session by password or second factor, and require that before a dangerous act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from litestar import Response

from vetrina.accounts.confirmation import queries
from vetrina.accounts.confirmation.model import PasswordConfirmationRequired, SignInAgainToConfirm
from vetrina.accounts.model import SessionEnded
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.core import audit
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import option

Fields = list[tuple[str, str]]


async def confirm(request: Request, *, password: str | None, code: str | None) -> None:
    """Confirm the caller's session for ten minutes by the password and, if there is one, the second factor.

    Raises WrongPassword, SignInAgainToConfirm (403), WrongCode (422), SessionEnded (401), RateLimited, TooManyGuesses (429).
    """
    account = request.account
    if not await second_factor.check_owner(request.services, account.id, password=password, code=code):
        raise SignInAgainToConfirm
    async with request.tx() as tx:
        if not await tx.execute(queries.CONFIRM, account=account.id, session=account.session_id):
            raise SessionEnded
        await audit.record(tx, "session_confirmed", account.id, resource=("session", account.session_id), actor=request.actor)


async def require(request: Request) -> Response[Any] | None:
    """Refuse a route with the option `confirmed` until the session was confirmed; Litestar calls this before every route.

    A browser gets a page that asks for the password and keeps the form; nothing is lost. Raises PasswordConfirmationRequired
    (403) for a program.
    """
    needed = option(request.scope, "confirmed")
    if not needed or (callable(needed) and not await cast("Callable[[Request], Awaitable[bool]]", needed)(request)):
        return None
    account = request.account
    async with request.read() as tx:
        if await tx.fetch_optional(queries.CONFIRMED_SESSION, account=account.id, session=account.session_id) is not None:
            return None
    if request.is_api:
        raise PasswordConfirmationRequired
    form = await request.form()
    return page(request, request.url.path, [(name, value) for name, value in form.multi_items() if isinstance(value, str)])


def page(
    request: Request, target: str, fields: Fields, *, refusal: Refusal | None = None, is_confirmed: bool = False
) -> Response[str]:
    """Render the page that asks for the password and then sends `fields` to the local path `target`."""
    return pages.render(
        request,
        "accounts/confirmation/confirmation.html",
        refusal=refusal,
        status=200 if is_confirmed else (refusal.status if refusal else 403),
        nav="operator",
        target=target,
        waiting_fields=fields,
        is_confirmed=is_confirmed,
        error=refusal.message if refusal else None,
    )
