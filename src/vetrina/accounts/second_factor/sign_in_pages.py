"""The page of the second step of a sign-in."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.sessions import pending_sign_in
from vetrina.accounts.sessions.model import ChallengeExpired
from vetrina.accounts.sessions.web import SECOND_STEP, sign_in_browser
from vetrina.accounts.web import SIGN_IN_LIMIT, caller
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request


@get(SECOND_STEP, include_in_schema=False)
async def form(request: Request) -> Response[Any]:
    """Show the form for a code of the authenticator or a recovery code."""
    pending = pending_sign_in.read(request)
    return pages.redirect("/sign-in") if pending is None or not pending.challenge else _form(request)


@post(SECOND_STEP, include_in_schema=False, opt=SIGN_IN_LIMIT)
async def open_session(request: Request, data: Form) -> Response[Any]:
    """Check the code and sign in."""
    pending = pending_sign_in.read(request)
    try:
        if pending is None or not pending.challenge:
            raise ChallengeExpired
        session = await second_factor.open_session(
            request.services,
            challenge=pending.challenge,
            code=data.get("code", ""),
            caller=caller(request),
        )
    except ChallengeExpired as expired:
        done = pending_sign_in.cookie(request.services, None)
        return pages.redirect("/sign-in", flash=("bad", expired.message), cookies=[done])
    except Refusal as refusal:
        return _form(request, refusal)
    response = await sign_in_browser(request, session, pending.onward)
    response.set_cookie(pending_sign_in.cookie(request.services, None))
    return response


def _form(request: Request, refusal: Refusal | None = None) -> Response[str]:
    return pages.render(request, "accounts/second_factor/second_factor.html", refusal=refusal, fields=("code",))


ROUTES: list[Any] = [form, open_session]
