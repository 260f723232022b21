"""HTML pages: what every template gets, flashes, redirects that stay on this site."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import jinja2
import msgspec
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from vetrina import web
from vetrina.core.errors import Refusal
from vetrina.core.services import Services
from vetrina.core.web.middleware.handle_rewrite import as_written
from vetrina.core.web.middleware.request_middleware import policy
from vetrina.core.web.request import Request, noted

FLASH = "vetrina_flash"
_TITLES = {
    403: "This is not yours to do",
    404: "There is nothing here",
    413: "That is too large",
    429: "One moment",
    500: "Something broke on our side",
    503: "Back in a moment",
}


def environment(services: Services) -> jinja2.Environment:
    """The templates, one environment a process, with what the base templates show of the modules."""
    made = web.environment()
    made.globals.update(services.modules.page_frame())
    return made


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    refusal: Refusal | None = None,
    nav: str = "",
    forms: Iterable[str] = (),
    **context: Any,
) -> Response[str]:
    """Return the page. `account`, and what modules show in its head, are of whoever is signed in; `forms` are the origins,
    besides ours, that a form on it may lead to, such as a gateway's. A `refusal` gives the status and its headers."""
    # A program that asks for a page with its bearer token gets it without what is for people alone.
    principal = request.principal if request.principal and request.principal.browser else None
    flash = _flashed(request)
    path = as_written(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    theme = request.cookies.get("theme", "auto")
    everywhere: dict[str, Any] = {
        "account": principal,
        "operator": principal is not None and principal.is_operator,
        "nav": nav,
        "theme": theme if theme in {"light", "dark"} else "auto",
        "lang": "en",
        "dir": "ltr",
        "flash": flash,
        "here": path if request.method == "GET" else "/",
    }
    head: dict[str, Any] = noted(request.scope, "vetrina.page_head") or {}
    body = request.services.part(environment).get_template(template).render(**{**everywhere, **head, **context})
    headers = {"Cache-Control": "no-store" if principal or flash else "no-cache"}
    if refusal is not None:
        status = refusal.status
        headers |= refusal.response_headers()
    if origins := list(forms):
        headers["Content-Security-Policy"] = policy(origins)
    response = Response(body, status_code=status, media_type="text/html", headers=headers)
    if flash:
        response.delete_cookie(FLASH)
    return response


def go(location: str, *, flash: tuple[str, str] | None = None, cookies: list[Cookie] | None = None) -> Redirect:
    """303 to a page of ours, with a message (kind good|bad|wait|info, text) to show there once."""
    extra = list(cookies or [])
    if flash:
        value = base64.urlsafe_b64encode(msgspec.json.encode(flash)).decode()
        extra.append(Cookie(FLASH, value=value, max_age=60, httponly=True, samesite="lax", path="/"))
    return Redirect(location, status_code=303, cookies=extra)


def local(path: str | None, otherwise: str) -> str:
    """`path` if it is a path on this site, so that no link can send people elsewhere."""
    if path and path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(c) < 33 for c in path):
        return path
    return otherwise


def error(
    request: Request, status: int, text: str, *, request_id: str | None = None, action: dict[str, str] | None = None
) -> Response[str]:
    """A refusal as a page. `action` is {href, title} of what to do next."""
    title = _TITLES.get(status, "That did not work")
    if (way_out := request.services.modules.ways_out.get(status)) is not None:
        title, action = way_out.title, {"href": way_out.href, "title": way_out.action}
    return render(
        request, "error.html", status=status, code=status, title=title, text=text, action=action, request_id=request_id
    )


def _flashed(request: Request) -> list[dict[str, str]]:
    raw = request.cookies.get(FLASH)
    if not raw:
        return []
    try:
        kind, text = msgspec.json.decode(base64.urlsafe_b64decode(raw), type=tuple[str, str])
    except (ValueError, msgspec.DecodeError):
        return []
    return [{"kind": kind if kind in {"good", "bad", "wait", "info"} else "info", "text": text[:500]}]
