"""JSON routes of an account's own credentials: its password, address and phone."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import post

from vetrina.accounts import identifiers
from vetrina.accounts.credentials import actions as credentials
from vetrina.accounts.model import AccountRow
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.verification.api import Code, CodeSent, Email, Password, Phone
from vetrina.accounts.web import SIGN_IN_LIMIT, caller, kind
from vetrina.core.web.request import Request, signed_in


class IdentifierRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new address or number, with the password and the code of the second factor if the account has them."""

    email: Email | None = None
    phone: Phone | None = None
    password: Password | None = None
    code: Code | None = None


class IdentifierConfirmation(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The new address or number with the code that was sent there."""

    email: Email | None = None
    phone: Phone | None = None
    code: Code


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The old and the new password, and the code of the second factor if there is one."""

    password: Password
    new_password: Password
    code: Code | None = None


class Undo(msgspec.Struct, forbid_unknown_fields=True):
    """The token of the link that the old address or number was sent."""

    token: Annotated[str, msgspec.Meta(max_length=2000)]


@post("/auth/identifiers", guards=[signed_in], status_code=202, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def request_change(request: Request, data: IdentifierRequest) -> CodeSent:
    """Send a code to a new address or number of the account."""
    account = request.account
    await _require_live_session(request)
    to = identifiers.parse_identifier(data.email, data.phone, request.services.settings.phone_region)
    await credentials.request_change(
        request.services,
        account.id,
        account.session_id,
        to,
        kind=kind(account.kind),
        password=data.password,
        code=data.code,
        caller=caller(request),
    )
    return CodeSent()


@post("/auth/identifiers/confirmation", guards=[signed_in], status_code=200, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def confirm_change(request: Request, data: IdentifierConfirmation) -> AccountRow:
    """Change the address or the number with its code. The old one can undo it for seven days."""
    await _require_live_session(request)
    to = identifiers.parse_identifier(data.email, data.phone, request.services.settings.phone_region)
    return await credentials.confirm_change(
        request.services,
        request.account.id,
        to,
        kind=kind(request.account.kind),
        code=data.code,
        caller=caller(request),
    )


@post("/auth/identifiers/undo", status_code=204, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def undo(request: Request, data: Undo) -> None:
    """Undo a change with the link that the old address or number was sent. 410 when it is too late."""
    await credentials.undo(request.services, data.token, caller=caller(request))


@post("/auth/password", guards=[signed_in], status_code=204, tags=["accounts"], opt=SIGN_IN_LIMIT)
async def change_password(request: Request, data: PasswordChange) -> None:
    """Change the password with the old one. Every other session ends."""
    await _require_live_session(request)
    await credentials.change_password(
        request.services,
        request.account.id,
        request.account.session_id,
        password=data.password,
        code=data.code,
        new_password=data.new_password,
        caller=caller(request),
    )


async def _require_live_session(request: Request) -> None:
    async with request.read() as tx:
        await sessions.require_live(tx, request.account.id, request.account.session_id)


ROUTES: list[Any] = [request_change, confirm_change, undo, change_password]
