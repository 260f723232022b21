"""JSON routes of one-time codes: sending one, confirming an address or a phone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import post

from vetrina.accounts import identifiers
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Kind
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.web import SIGN_IN_LIMIT, caller
from vetrina.core.web.request import Request

Email = Annotated[str, msgspec.Meta(max_length=320)]
Phone = Annotated[str, msgspec.Meta(max_length=40)]
Password = Annotated[str, msgspec.Meta(max_length=2048)]
Code = Annotated[str, msgspec.Meta(max_length=64)]


class Target(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An identifier: an e-mail address or a phone, of a user or a vendor."""

    email: Email | None = None
    phone: Phone | None = None
    kind: Kind = "user"


class CodeRequest(Target, kw_only=True):
    """Request for a code: email_verify goes to an address, phone_verify and sign_in to a phone."""

    purpose: Literal["email_verify", "phone_verify", "sign_in", "password_reset"]


class Confirmation(Target, kw_only=True):
    """Request to confirm an identifier with its code, and its account's password unless the account is signed in."""

    purpose: Literal["email_verify", "phone_verify"]
    code: Code
    password: Password | None = None


class CodeSent(msgspec.Struct):
    """If there is such an account, a code has been sent; `expires_in` is in seconds."""

    expires_in: int = verification.LIFETIME


class Confirmed(msgspec.Struct):
    """The identifier that is confirmed now, normalized. `access_ended`: every earlier way to sign in has ended."""

    email: str | None
    phone: str | None
    verified: bool = True
    access_ended: bool = False


def parse_target(request: Request, target: Target) -> Identifier:
    """Return the identifier that a request names. Raises OneIdentifier, InvalidEmail, InvalidPhone (422)."""
    return identifiers.parse_identifier(target.email, target.phone, request.services.settings.phone_region)


@post("/auth/verifications", status_code=202, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def request_code(request: Request, data: CodeRequest) -> CodeSent:
    """Send a code. The answer is the same whether there is such an account or not."""
    await verification.request_code(
        request.services,
        parse_target(request, data),
        kind=data.kind,
        purpose=data.purpose,
        caller=caller(request),
    )
    return CodeSent()


@post("/auth/verifications/confirmation", status_code=200, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def confirm(request: Request, data: Confirmation) -> Confirmed:
    """Confirm an address or a phone. A code works once; after five wrong ones 429, also for new codes.

    Send it with the account's bearer token or its password. Without them the first confirmation is taken for that of an owner
    who did not register: password, sessions, second factor and linked identities end (`access_ended`). 403 when the account has
    another confirmed identifier.
    """
    to = parse_target(request, data)
    account = request.principal.id if request.principal else None
    if account is None and data.password is not None:
        account = await verification.prove_account(request.services, to, kind=data.kind, password=data.password)
    access_ended = await verification.confirm(
        request.services,
        to,
        kind=data.kind,
        purpose=data.purpose,
        code=data.code,
        caller=caller(request),
        account=account,
    )
    return Confirmed(to.email, to.phone, access_ended=access_ended)


ROUTES: list[Any] = [request_code, confirm]
