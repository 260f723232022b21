"""Request helpers of accounts: the client's device, the reader's language, a form's kind."""

from __future__ import annotations

from vetrina.accounts.model import Device, Kind
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import limited_by_address
from vetrina.web.i18n import Language, preferred

SIGN_IN_LIMIT = limited_by_address("sign_in")
"""Of every route with which passwords or codes could be guessed, or messages sent."""


def device(request: Request) -> Device:
    """Return the client that sent the request."""
    address = request.client.host if request.client else None
    return Device(request.headers.get("user-agent"), address, "program" if request.is_api else "browser")


def language(request: Request) -> Language:
    """Return the language that messages to this client are written in."""
    return preferred(request.headers.get("accept-language"))


def home_path(request: Request) -> str:
    """Return the page to go to after signing in, unless another was asked for."""
    return request.services.modules.after_sign_in


def kind(value: str | None) -> Kind:
    """Return the kind of account that a form or a row names; "user" for anything else than "vendor"."""
    return "vendor" if value == "vendor" else "user"


def in_browser(request: Request) -> bool:
    """Return whether the request comes from a browser that is signed in."""
    return request.principal is not None and request.principal.browser
