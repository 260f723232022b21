"""JSON routes of registration and signing in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import post

from vetrina.accounts import known_devices
from vetrina.accounts.model import Kind
from vetrina.accounts.sessions.web import Session, session_response
from vetrina.accounts.sign_in import actions as sign_in_actions
from vetrina.accounts.sign_in.model import PasswordOrCode
from vetrina.accounts.verification.api import Code, Email, Password, Phone, Target
from vetrina.accounts.web import SIGN_IN_LIMIT, caller
from vetrina.core.web.request import Request


class Registration(Target, kw_only=True):
    """Request to register with an e-mail address or a phone, or both."""

    password: Password
    name: Annotated[str, msgspec.Meta(max_length=120)] | None = None


class SignIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Request to sign in: an e-mail address or a phone with the password, or a phone with a code sent for `sign_in`.

    Without a `kind` the password decides; with a code it is "user".
    """

    email: Email | None = None
    phone: Phone | None = None
    kind: Kind | None = None
    password: Password | None = None
    code: Code | None = None


@post("/auth/registration", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def register(request: Request, data: Registration) -> Session:
    """Create an account and sign it in; a code is sent to each identifier. 409 when one of them has an account already."""
    session = await sign_in_actions.register(
        request.services,
        email=data.email,
        phone=data.phone,
        password=data.password,
        name=data.name,
        kind=data.kind,
        caller=caller(request),
    )
    return session_response(request, session)


@post("/auth/session", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def sign_in(request: Request, data: SignIn) -> Session:
    """Sign in. 401 `second-factor-needed` carries a `challenge` for POST /auth/session/second-factor.

    409 when no `kind` is given and the password fits the accounts of both.
    """
    if (data.password is None) == (data.code is None):
        raise PasswordOrCode
    if data.code is not None:
        session = await sign_in_actions.sign_in_by_code(
            request.services, phone=data.phone or "", code=data.code, kind=data.kind or "user", caller=caller(request)
        )
    else:
        session = await sign_in_actions.sign_in(
            request.services,
            email=data.email,
            phone=data.phone,
            password=data.password or "",
            kind=data.kind,
            caller=caller(request),
            known_device=known_devices.read(request),
        )
    return session_response(request, session)


ROUTES: list[Any] = [register, sign_in]
