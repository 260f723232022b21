"""JSON routes of password resets."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import post

from vetrina.accounts.password_reset import actions as password_reset
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.api import Code, CodeSent, Password, Target, parse_target
from vetrina.accounts.web import SIGN_IN_LIMIT, caller
from vetrina.core.web.request import Request


class Reset(Target, kw_only=True):
    """Request to set a new password with a code."""

    code: Code
    password: Password


class PasswordChanged(msgspec.Struct):
    """The password is changed; `sessions_ended` says that every session has ended."""

    sessions_ended: bool = True


@post("/auth/password-reset", status_code=202, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def request_reset(request: Request, data: Target) -> CodeSent:
    """Send a code for a new password. The answer is the same whether there is such an account or not."""
    await verification.request_code(
        request.services,
        parse_target(request, data),
        kind=data.kind,
        purpose="password_reset",
        caller=caller(request),
    )
    return CodeSent()


@post("/auth/password-reset/confirmation", status_code=200, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def reset(request: Request, data: Reset) -> PasswordChanged:
    """Set a new password with the code. Every session ends."""
    await password_reset.reset(
        request.services,
        parse_target(request, data),
        kind=data.kind,
        code=data.code,
        password=data.password,
        caller=caller(request),
    )
    return PasswordChanged()


ROUTES: list[Any] = [request_reset, reset]
