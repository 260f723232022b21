"""JSON route of confirming a session."""

from __future__ import annotations

from typing import Any

from litestar import post

from vetrina.accounts.confirmation import actions
from vetrina.accounts.second_factor.api import OwnerCredentials
from vetrina.accounts.web import SIGN_IN_LIMIT
from vetrina.core.web.request import Request, signed_in


@post("/auth/confirmation", guards=[signed_in], status_code=204, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def confirm(request: Request, data: OwnerCredentials) -> None:
    """Confirm this session for ten minutes: dangerous acts answer 403 `password-confirmation-required` without.

    Send the password and, with a second factor, a code. An account with neither signs in again instead (403).
    """
    await actions.confirm(request.services, request.account, password=data.password, code=data.code, actor=request.actor)


ROUTES: list[Any] = [confirm]
