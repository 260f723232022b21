"""JSON routes of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.params import Parameter

from vetrina.accounts import queries
from vetrina.accounts.model import AccountRow
from vetrina.accounts.sign_in import actions
from vetrina.accounts.verification.api import Code, Password, Target
from vetrina.accounts.verification.model import PasswordOrCode
from vetrina.accounts.web import SIGN_IN_LIMIT, Session, Tokens, device, language, session
from vetrina.core import usage
from vetrina.core.usage import UsageRow
from vetrina.core.web import paging
from vetrina.core.web.paging import Cursor, Limit, Page
from vetrina.core.web.request import Request, signed_in


class Registration(Target, kw_only=True):
    """What registering takes: an e-mail address or a phone, or both."""

    password: Password
    name: Annotated[str, msgspec.Meta(max_length=120)] | None = None


class SignIn(Target, kw_only=True):
    """What signing in takes: an e-mail address or a phone with the password, or a phone with a code sent for `sign_in`."""

    password: Password | None = None
    code: Code | None = None


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """What refreshing takes."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=200)]


@post("/auth/registration", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def register(request: Request, data: Registration) -> Session:
    """Make an account and sign it in; a code is sent to confirm the address or the phone. 409 when it has an account already."""
    opened = await actions.register(
        request.services,
        email=data.email,
        phone=data.phone,
        password=data.password,
        name=data.name,
        kind=data.kind,
        device=device(request),
        language=language(request),
    )
    return session(request, opened)


@post("/auth/session", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def sign_in(request: Request, data: SignIn) -> Session:
    """Sign in. 401 `second-factor-needed` carries a `challenge` for POST /auth/session/second-factor."""
    if (data.password is None) == (data.code is None):
        raise PasswordOrCode
    if data.code is not None:
        opened = await actions.sign_in_by_code(
            request.services, phone=data.phone or "", code=data.code, kind=data.kind, device=device(request)
        )
    else:
        opened = await actions.sign_in(
            request.services,
            email=data.email,
            phone=data.phone,
            password=data.password or "",
            kind=data.kind,
            device=device(request),
        )
    return session(request, opened)


@post("/auth/refresh", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def refresh(request: Request, data: Refresh) -> Tokens:
    """The next pair. Each refresh token works once; used again later it ends the session."""
    token, kind = await actions.refresh(request.services, data.refresh_token, device(request))
    return Tokens(actions.access_token(request.services, token, kind), token.text())


@delete("/auth/session", guards=[signed_in], tags=["accounts"])
async def sign_out(request: Request) -> None:
    """End this session."""
    async with request.tx() as tx:
        await actions.revoke(tx, request.account.id, request.account.session_id)


@get("/me", guards=[signed_in], tags=["accounts"])
async def me(request: Request) -> AccountRow:
    """The account that asks. 401 when its session has ended."""
    async with request.read() as tx:
        await actions.check(tx, request.account.id, request.account.session_id)
        return await tx.one(queries.ACCOUNT, account=request.account.id)


@get("/usage", guards=[signed_in], tags=["accounts"])
async def usage_page(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    action: Annotated[str | None, Parameter(max_length=64)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[UsageRow]:
    """What the account did, the newest first, by action and time."""
    async with request.read() as tx:
        rows = await tx.all(
            usage.LIST,
            account=request.account.id,
            before=paging.after(cursor),
            action=action,
            since=since,
            until=until,
            limit=limit + 1,
        )
    return paging.page(rows, limit, lambda row: row.id, lambda row: row)


ROUTES: list[Any] = [register, sign_in, refresh, sign_out, me, usage_page]
