"""What routes of several files need: where a request comes from, what a new session answers, the reader's language."""

from __future__ import annotations

import msgspec
from litestar.response import Redirect

from vetrina.accounts.model import AccountRow
from vetrina.accounts.notifications import render as letters
from vetrina.accounts.sessions.middleware import session_cookie
from vetrina.accounts.sessions.tokens import ACCESS_SECONDS
from vetrina.accounts.sign_in import actions
from vetrina.accounts.sign_in.actions import Device, Opened
from vetrina.accounts.verification.actions import Kind, Language
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import limited_by_address

SIGN_IN_LIMIT = limited_by_address("sign_in")
"""Of every route at which one may guess a password or a code, or have letters sent."""


class Tokens(msgspec.Struct):
    """A fresh pair; `expires_in` is in seconds and of the access token."""

    access_token: str
    refresh_token: str
    expires_in: int = ACCESS_SECONDS
    token_type: str = "Bearer"


class Session(Tokens, kw_only=True):
    """A pair and whose it is."""

    account: AccountRow


def device(request: Request) -> Device:
    """Where the request comes from."""
    return Device(request.headers.get("user-agent"), request.client.host if request.client else None)


def session(request: Request, opened: Opened) -> Session:
    """What a program gets of a session that was just opened."""
    access = actions.access_token(request.services, opened.token, opened.account.kind)
    return Session(access, opened.token.text(), account=opened.account)


def language(request: Request) -> Language:
    """The language that the one who asks is written to in."""
    return letters.language(request.headers.get("accept-language"))


def start(request: Request) -> str:
    """Where one goes after signing in from nowhere in particular."""
    return request.services.modules.after_sign_in


async def enter(
    request: Request, opened: Opened, onward: str | None, *, flash: tuple[str, str] | None = None
) -> Redirect:
    """On, signed in. The new session takes the place of the one that this browser may have had."""
    if (had := request.principal) is not None and had.browser:
        async with request.tx() as tx:
            await actions.revoke(tx, had.id, had.session_id, why="signed in again")
    return pages.go(pages.local(onward, start(request)), flash=flash, cookies=[session_cookie(request.services, opened.token)])


def kind(data: dict[str, str]) -> Kind:
    """Whose door a form is for."""
    return "vendor" if data.get("kind") == "vendor" else "user"


def errors(refused: Refusal | None, fields: tuple[str, ...]) -> dict[str, str]:
    """What to say beside which field; "" for what belongs to none of the form's."""
    return {refused.field if refused.field in fields else "": refused.message} if refused else {}


def in_browser(request: Request) -> bool:
    """Whether a browser asks that is signed in."""
    return request.principal is not None and request.principal.browser
