"""Request helpers of accounts: the caller, a form's kind."""

from __future__ import annotations

from vetrina.accounts.model import Caller, Kind
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import limited_by_address
from vetrina.web import i18n

SIGN_IN_LIMIT = limited_by_address("sign_in")
"""Of every route with which passwords or codes could be guessed, or messages sent."""


def caller(request: Request) -> Caller:
    """Return the client that sent the request: its device, the language of messages to it, and who is signed in."""
    return Caller(
        request.headers.get("user-agent"),
        request.client.host if request.client else None,
        "program" if request.is_api else "browser",
        language=i18n.current(),
        actor=request.actor,
    )


def home_path(request: Request) -> str:
    """Return the page to go to after signing in, unless another was asked for."""
    return request.services.modules.after_sign_in


def kind(value: str | None) -> Kind:
    """Return the kind of account that a form or a row names; "user" for anything else than "vendor"."""
    return "vendor" if value == "vendor" else "user"


def in_browser(request: Request) -> bool:
    """Return whether the request comes from a browser that is signed in."""
    return request.principal is not None and request.principal.browser
