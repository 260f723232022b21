"""JSON routes of one-time codes: confirming an address or a phone, a new password."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import post

from vetrina.accounts import identifiers
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.password_reset import actions as resets
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.web import SIGN_IN_LIMIT, device, language
from vetrina.core.web.request import Request

Email = Annotated[str, msgspec.Meta(max_length=320)]
Phone = Annotated[str, msgspec.Meta(max_length=40)]
Password = Annotated[str, msgspec.Meta(max_length=2048)]
Code = Annotated[str, msgspec.Meta(max_length=64)]
Kind = Literal["user", "vendor"]


class Target(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whom it is about: an e-mail address or a phone, of a user or a vendor."""

    email: Email | None = None
    phone: Phone | None = None
    kind: Kind = "user"


class CodeWanted(Target, kw_only=True):
    """What asking for a code takes: email_verify goes to an address, phone_verify and sign_in to a phone."""

    purpose: Literal["email_verify", "phone_verify", "sign_in", "password_reset"]


class Confirmation(Target, kw_only=True):
    """What confirming takes."""

    purpose: Literal["email_verify", "phone_verify"]
    code: Code


class Reset(Target, kw_only=True):
    """What a new password takes."""

    code: Code
    password: Password


class CodeSent(msgspec.Struct):
    """If there is such an account, a code is on its way; `expires_in` is in seconds."""

    expires_in: int = codes.LIFE


class Confirmed(msgspec.Struct):
    """What is confirmed now, as it is kept."""

    email: str | None
    phone: str | None
    verified: bool = True


class PasswordChanged(msgspec.Struct):
    """The password is another one; `sessions_ended` says that every session has ended."""

    sessions_ended: bool = True


def whom(request: Request, target: Target) -> Identifier:
    """The one that is given. Raises OneIdentifier, InvalidEmail, InvalidPhone (422)."""
    return identifiers.one(target.email, target.phone, request.services.settings.phone_region)


@post("/auth/verifications", status_code=202, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def ask(request: Request, data: CodeWanted) -> CodeSent:
    """Send a code. The answer is the same whether there is such an account or not."""
    to = whom(request, data)
    resets.fit(to, data.purpose)
    await codes.ask(
        request.services, to, kind=data.kind, purpose=data.purpose, language=language(request), address=device(request).ip
    )
    return CodeSent()


@post("/auth/verifications/confirmation", status_code=200, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def confirm(request: Request, data: Confirmation) -> Confirmed:
    """Confirm an address or a phone. A code works once; after five wrong ones 429, whatever is sent anew."""
    to = whom(request, data)
    await resets.confirm(
        request.services, to, kind=data.kind, purpose=data.purpose, code=data.code, address=device(request).ip
    )
    return Confirmed(to.email, to.phone)


@post("/auth/password-reset", status_code=202, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def ask_for_reset(request: Request, data: Target) -> CodeSent:
    """Send a code for a new password. The answer is the same whether there is such an account or not."""
    to = whom(request, data)
    await codes.ask(
        request.services,
        to,
        kind=data.kind,
        purpose="password_reset",
        language=language(request),
        address=device(request).ip,
    )
    return CodeSent()


@post("/auth/password-reset/confirmation", status_code=200, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def reset(request: Request, data: Reset) -> PasswordChanged:
    """Choose a new password with the code. Every session ends."""
    to = whom(request, data)
    await resets.reset(
        request.services,
        to,
        kind=data.kind,
        code=data.code,
        password=data.password,
        language=language(request),
        address=device(request).ip,
    )
    return PasswordChanged()


ROUTES: list[Any] = [ask, confirm, ask_for_reset, reset]
