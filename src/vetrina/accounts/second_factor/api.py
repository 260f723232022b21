"""JSON routes of the second factor."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get, post

from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.second_factor import queries as queries_factor
from vetrina.accounts.second_factor.actions import Enrolment
from vetrina.accounts.sign_in import actions
from vetrina.accounts.verification.api import Code, Password
from vetrina.accounts.verification.model import FactorState
from vetrina.accounts.web import SIGN_IN_LIMIT, Session, device, language, session
from vetrina.core.web.request import Request, signed_in


class Owner(msgspec.Struct, forbid_unknown_fields=True):
    """What shows that it is the owner who asks: the password or, in an account that has none, a code."""

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
    """Each gets one in once, without the authenticator. They are shown this once."""

    recovery_codes: list[str]


@get("/auth/second-factor", guards=[signed_in], tags=["accounts"])
async def state(request: Request) -> FactorState:
    """Whether there is a second factor, and how many recovery codes are left."""
    async with request.read() as tx:
        return await tx.one(queries_factor.STATE, account=request.account.id)


@post("/auth/second-factor", guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def begin(request: Request, data: Owner) -> Enrolment:
    """A secret for an authenticator (TOTP), which counts once a code of it is confirmed."""
    await _living(request)
    return await second_factor.begin(request.services, request.account.id, password=data.password)


@post("/auth/second-factor/confirmation", status_code=200, guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def confirm(request: Request, data: FactorCode) -> RecoveryCodes:
    """Turn it on with the authenticator's first code."""
    await _living(request)
    fresh = await second_factor.confirm(
        request.services, request.account.id, code=data.code, language=language(request), actor=request.actor
    )
    return RecoveryCodes(fresh)


@post("/auth/second-factor/recovery-codes", guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def renew(request: Request, data: Owner) -> RecoveryCodes:
    """Ten new recovery codes in place of the old ones."""
    await _living(request)
    fresh = await second_factor.renew(request.services, request.account.id, password=data.password, code=data.code)
    return RecoveryCodes(fresh)


@post("/auth/second-factor/removal", status_code=204, guards=[signed_in], tags=["accounts"], opt=SIGN_IN_LIMIT)
async def remove(request: Request, data: Owner) -> None:
    """Turn it off."""
    await _living(request)
    await second_factor.remove(
        request.services,
        request.account.id,
        password=data.password,
        code=data.code,
        language=language(request),
        actor=request.actor,
    )


@post("/auth/session/second-factor", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def enter(request: Request, data: SecondStep) -> Session:
    """The second step of signing in."""
    opened = await second_factor.enter(
        request.services, challenge=data.challenge, code=data.code, device=device(request), language=language(request)
    )
    return session(request, opened)


async def _living(request: Request) -> None:
    """An access token outlives its session by minutes; what guards the account asks the database."""
    async with request.read() as tx:
        await actions.check(tx, request.account.id, request.account.session_id)


ROUTES: list[Any] = [state, begin, confirm, renew, remove, enter]
