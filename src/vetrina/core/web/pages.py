"""HTML pages: template context, flash messages, redirects that stay on this site."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, Self

import msgspec
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from vetrina import web
from vetrina.core.errors import Refusal
from vetrina.core.messages import delivers
from vetrina.core.module import Modules, Place
from vetrina.core.services import Services
from vetrina.core.settings.environment import Settings
from vetrina.core.web.middleware.handle_rewrite import display_path
from vetrina.core.web.middleware.request_middleware import policy
from vetrina.core.web.request import Request, scope_value
from vetrina.web import i18n
from vetrina.web.i18n import N_, say

FLASH = "vetrina_flash"
_TITLES = {
    403: N_("Permission denied"),
    404: N_("Not found"),
    413: N_("Too large"),
    429: N_("Too many requests"),
    500: N_("Internal error"),
    503: N_("Temporarily unavailable"),
    507: N_("No room for new files"),
}


class PageTemplates:
    """The templates of pages, with the base templates' data of the loaded modules."""

    def __init__(self, modules: Modules, settings: Settings) -> None:
        self._environment = web.environment()
        frame: dict[str, Any] = {**modules.page_frame(), "delivers": partial(delivers, settings)}
        self._environment.globals.update(frame)

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the templates."""
        return cls(services.modules, services.settings)

    def render(self, template: str, context: dict[str, Any]) -> str:
        """Render a template."""
        return self._environment.get_template(template).render(context)


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    refusal: Refusal | None = None,
    fields: Collection[str] | None = None,
    nav: str = "",
    forms: Iterable[str] = (),
    **context: Any,
) -> Response[str]:
    """Render a page.

    `account`, and the header's values, are those of the signed-in account; `forms` are further origins that a form on it
    may redirect to, such as a gateway's. A `refusal` sets the status, its headers (Retry-After among them) and `errors` of
    the template, unless the context has them: `fields` are the names of the form's fields (None: any).
    """
    # A request with a bearer token gets the page without the parts meant for browsers.
    principal = request.principal if request.principal and request.principal.browser else None
    flash = _flashed(request)
    path = display_path(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    theme = request.cookies.get("theme", "auto")
    base: dict[str, Any] = {
        "account": principal,
        "operator": principal is not None and principal.is_operator,
        "nav": nav,
        "theme": theme if theme in {"light", "dark"} else "auto",
        "lang": i18n.current(),
        "dir": i18n.direction(i18n.current()),
        "site_languages": i18n.TITLES,
        "flash": flash,
        "preview": None,
        "outbox": "/outbox" if request.services.settings.development else None,
        "footer_links": footer_links(request.services),
        "here": path if request.method == "GET" else "/",
        "errors": errors_of(refusal, fields),
    }
    head: dict[str, Any] = scope_value(request.scope, "vetrina.page_head") or {}
    body = request.services.get(PageTemplates).render(template, {**base, **head, **context})
    headers = {"Cache-Control": "no-store" if principal or flash else "no-cache", "Vary": "Accept-Language, Cookie"}
    if refusal is not None:
        status = refusal.status
        headers |= refusal.response_headers()
    if origins := list(forms):
        headers["Content-Security-Policy"] = policy(origins)
    response = Response(body, status_code=status, media_type="text/html", headers=headers)
    if flash:
        response.delete_cookie(FLASH)
    return response


def footer_links(services: Services) -> list[Place]:
    """Return the modules' links of the footer."""
    return [link for footer in services.modules.footers for link in footer(services)]


def errors_of(refusal: Refusal | None, fields: Collection[str] | None = None) -> dict[str, str]:
    """Return a refusal's message by its field; under "" if it has no field, or the form none of that name."""
    if refusal is None:
        return {}
    field = str(refusal.details.get("field") or refusal.field or "")
    return {field if fields is None or field in fields else "": refusal.message}


class Undo(msgspec.Struct, frozen=True):
    """The button of a flash message: a form to a path of this site, with one field."""

    path: str
    name: str
    value: str


def redirect(
    location: str, *, flash: tuple[str, str] | None = None, undo: Undo | None = None, cookies: list[Cookie] | None = None
) -> Redirect:
    """Redirect (303) to a page of this site, with a flash message (kind good|bad|wait|info, text) to show there once.

    `undo` adds a button to the message.
    """
    extra = list(cookies or [])
    if flash:
        value = base64.urlsafe_b64encode(msgspec.json.encode((*flash, undo))).decode()
        extra.append(Cookie(FLASH, value=value, max_age=60, httponly=True, samesite="lax", path="/"))
    return Redirect(location, status_code=303, cookies=extra)


def language_cookie(language: i18n.Language | None) -> Cookie:
    """Return the cookie with the language that this browser's pages are written in; None follows the account or the browser."""
    return Cookie(i18n.COOKIE, value=language or "", max_age=31536000 if language else 0, samesite="lax", path="/")


def safe_local_path(path: str | None, otherwise: str) -> str:
    """Return `path` if it is a path on this site, so that no link can redirect to another site."""
    if path and path.startswith("/") and not path.startswith(("//", "/\\")) and not any(ord(c) < 33 for c in path):
        return path
    return otherwise


def error(
    request: Request,
    status: int,
    text: str,
    *,
    request_id: str | None = None,
    refusal: Refusal | None = None,
    action: dict[str, str] | None = None,
) -> Response[str]:
    """Render an error page. `action` is {href, title} of the next step; a `refusal` sets the headers."""
    title = say(_TITLES.get(status, N_("Request failed")))
    if (error_page := request.services.modules.error_pages.get(status)) is not None:
        title, action = say(error_page.title), {"href": error_page.href, "title": say(error_page.action)}
    return render(
        request,
        "error.html",
        status=status,
        refusal=refusal,
        code=status,
        title=title,
        text=text,
        action=action,
        request_id=request_id,
    )


def refused(request: Request, refusal: Refusal, *, action: dict[str, str] | None = None) -> Response[str]:
    """Render the error page of a refusal. `action` is {href, title} of the next step."""
    return error(request, refusal.status, refusal.message, refusal=refusal, action=action)


def _flashed(request: Request) -> list[dict[str, Any]]:
    raw = request.cookies.get(FLASH)
    if not raw:
        return []
    try:
        kind, text, undo = msgspec.json.decode(base64.urlsafe_b64decode(raw), type=tuple[str, str, Undo | None])
    except (ValueError, msgspec.DecodeError):
        return []
    if undo is not None and safe_local_path(undo.path, "") != undo.path:
        undo = None
    return [{"kind": kind if kind in {"good", "bad", "wait", "info"} else "info", "text": text[:500], "undo": undo}]
