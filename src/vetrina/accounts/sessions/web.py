"""What a new session answers with: a pair of tokens for programs, a cookie and a redirect for browsers."""

from __future__ import annotations

import msgspec
from litestar.response import Redirect

from vetrina.accounts import known_devices
from vetrina.accounts.model import AccountRow, Kind
from vetrina.accounts.sessions import actions, pending_sign_in
from vetrina.accounts.sessions.actions import NewSession
from vetrina.accounts.sessions.middleware import session_cookie
from vetrina.accounts.sessions.model import SecondFactorNeeded
from vetrina.accounts.sessions.tokens import ACCESS_SECONDS
from vetrina.accounts.web import home_path
from vetrina.core.web import pages
from vetrina.core.web.request import Request

SECOND_STEP = "/sign-in/second-factor"


class Tokens(msgspec.Struct):
    """A new pair of tokens; `expires_in` is in seconds and of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int = ACCESS_SECONDS
    token_type: str = "Bearer"  # noqa: S105  # a word, no secret


class Session(Tokens, kw_only=True):
    """A pair of tokens and its account."""

    account: AccountRow


def session_response(request: Request, session: NewSession) -> Session:
    """Return what a program gets of a session that was just opened."""
    access = actions.access_token(request.services, session.token, session.account.kind)
    return Session(access, session.token.text(), account=session.account)


async def sign_in_browser(
    request: Request, session: NewSession, onward: str | None, *, flash: tuple[str, str] | None = None
) -> Redirect:
    """Redirect to `onward` with the session's cookie, and end the session that this browser had before.

    The browser is a known device of the account from now on.
    """
    if (previous := request.principal) is not None and previous.browser:
        async with request.tx() as tx:
            await actions.revoke(tx, previous.id, previous.session_id, why="signed in again")
    cookies = [session_cookie(request.services, session.token), known_devices.cookie(request, session.account.id)]
    return pages.redirect(pages.safe_local_path(onward, home_path(request)), flash=flash, cookies=cookies)


def redirect_to_second_step(request: Request, needed: SecondFactorNeeded, kind: Kind, onward: str | None) -> Redirect:
    """Redirect to the second step of a sign-in, which then goes on to `onward`."""
    pending = pending_sign_in.for_second_step(needed.challenge, kind, pages.safe_local_path(onward, ""))
    return pages.redirect(SECOND_STEP, cookies=[pending_sign_in.cookie(request.services, pending)])
