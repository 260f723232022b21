"""JSON routes of the second factor."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post

from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.second_factor import queries
from vetrina.accounts.second_factor.actions import Enrolment
from vetrina.accounts.second_factor.model import FactorState
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions.web import Session, session_response
from vetrina.accounts.verification.api import Code, Password
from vetrina.accounts.web import SIGN_IN_LIMIT, caller
from vetrina.core.web.request import Request, signed_in


class OwnerCredentials(msgspec.Struct, forbid_unknown_fields=True):
    """Proof that the owner sends the request: the password, if there is one, and a code, if the second factor is on."""

    password: Password | None = None
    code: Code | None = None


class FactorCode(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the authenticator."""

    code: Code


class SecondStep(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge of the first step, and a code of the authenticator or a recovery code."""

    challenge: Annotated[str, msgspec.Meta(max_length=2000)]
    code: Code


class RecoveryCodes(msgspec.Struct):
    """Codes that sign in once each without the authenticator. They are shown only now."""

    recovery_codes: list[str]


@get("/auth/second-factor", guards=[signed_in], tags=["accounts"])
async def state(request: Request) -> FactorState:
    """Return whether there is a second factor, and how many recovery codes are left."""
    async with request.read() as tx:
        return await tx.fetch_one(queries.STATE, account=request.account.id)


@post("/auth/second-factor", guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def begin(request: Request, data: OwnerCredentials) -> Enrolment:
    """Create a secret for an authenticator (TOTP), which has no effect until one of its codes is confirmed."""
    await _require_live_session(request)
    return await second_factor.begin(request.services, request.account.id, password=data.password)


@post("/auth/second-factor/confirmation", status_code=200, guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def confirm(request: Request, data: FactorCode) -> RecoveryCodes:
    """Turn it on with the authenticator's first code."""
    await _require_live_session(request)
    codes = await second_factor.confirm(request.services, request.account.id, code=data.code, caller=caller(request))
    return RecoveryCodes(codes)


@post("/auth/second-factor/recovery-codes", guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def renew_recovery_codes(request: Request, data: OwnerCredentials) -> RecoveryCodes:
    """Replace the recovery codes by ten new ones."""
    await _require_live_session(request)
    codes = await second_factor.renew_recovery_codes(request.services, request.account.id, password=data.password, code=data.code)
    return RecoveryCodes(codes)


@post("/auth/second-factor/removal", status_code=204, guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def remove(request: Request, data: OwnerCredentials) -> None:
    """Turn it off."""
    await _require_live_session(request)
    await second_factor.remove(
        request.services,
        request.account.id,
        password=data.password,
        code=data.code,
        caller=caller(request),
    )


@post("/auth/session/second-factor", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def open_session(request: Request, data: SecondStep) -> Session:
    """Pass the second step of a sign-in."""
    session = await second_factor.open_session(request.services, challenge=data.challenge, code=data.code, caller=caller(request))
    return session_response(request, session)


async def _require_live_session(request: Request) -> None:
    """Check in the database that the session is open: an access token outlives its session by minutes."""
    async with request.read() as tx:
        await sessions.require_live(tx, request.account.id, request.account.session_id)


ROUTES: list[Any] = [state, begin, confirm, renew_recovery_codes, remove, open_session]
