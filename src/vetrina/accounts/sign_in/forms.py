"""Forms that signing in, registering and resetting a password share: an identifier and a kind, and the code form."""

from __future__ import annotations

from typing import Any

from litestar import Response

from vetrina.accounts.identities.providers import Providers
from vetrina.accounts.model import Kind, Purpose
from vetrina.accounts.sessions.pending_sign_in import PendingSignIn
from vetrina.accounts.sign_in.model import ChooseKind
from vetrina.accounts.verification.actions import SentCode
from vetrina.accounts.web import home_path, in_browser, kind
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.request import Request

METHODS = ("email", "phone", "provider")


def identifier_fields(data: dict[str, str]) -> dict[str, str | None]:
    """Return the address or the number of a form, by the method that it is for."""
    by_phone = data.get("way") == "phone"
    return {"email": None if by_phone else data.get("email", ""), "phone": data.get("phone", "") if by_phone else None}


def render_auth_page(
    request: Request, template: str, data: dict[str, str], fields: tuple[str, ...], refusal: Refusal | None, **context: Any
) -> Response[str]:
    """Return a page with a method, a kind and an identifier, keeping what was typed but passwords."""
    offered = request.services.get(Providers).offered()
    method = data.get("way", "")
    return pages.render(
        request,
        template,
        refusal=refusal,
        values={name: data.get(name, "") for name in fields if name != "password"},
        fields=fields,
        next=pages.safe_local_path(data.get("next"), ""),
        kind=kind(data.get("kind")),
        way=method if method in METHODS and (method != "provider" or offered) else "email",
        providers=offered,
        region=request.services.settings.phone_region,
        **context,
    )


def chosen_kind(data: dict[str, str]) -> Kind | None:
    """Return the kind of account that a form chooses between two, or None."""
    return kind(data["kind"]) if data.get("kind") else None


def render_code_form(request: Request, pending: PendingSignIn, refusal: Refusal | None = None, typed: str = "") -> Response[str]:
    """Return the form for a code that was sent; with a new password when it is for a reset."""
    is_reset = pending.purpose == "password_reset"
    return pages.render(
        request,
        "accounts/sign_in/code.html",
        refusal=refusal,
        purpose=pending.purpose,
        to=pending.to.value if pending.to else "",
        channel=pending.to.channel if pending.to else "email",
        until=pending.expires_at,
        action="/reset/code" if is_reset else "/verify",
        values={"code": typed},
        fields=("code", "password"),
        choose=isinstance(refusal, ChooseKind),
        ask_password=asks_password(request, pending.purpose),
        later=pages.safe_local_path(pending.onward, home_path(request)) if in_browser(request) else "",
    )


def asks_password(request: Request, purpose: Purpose | None) -> bool:
    """Return whether a confirmation asks for the account's password: nobody is signed in here."""
    return purpose in {"email_verify", "phone_verify"} and not in_browser(request)


def render_code_link(request: Request, token: str, sent: SentCode | None, refusal: Refusal | None) -> Response[str]:
    """Return the page that a mail's link opens; without a button when the link has expired."""
    page = pages.render(
        request,
        "accounts/sign_in/code_link.html",
        refusal=refusal,
        token=token if sent else "",
        to=sent.to.value if sent else "",
        reset=request.url.path.startswith("/reset"),
        ask_password=sent is not None and asks_password(request, sent.purpose),
        fields=("password",),
        choose=isinstance(refusal, ChooseKind),
    )
    page.headers["Referrer-Policy"] = "no-referrer"
    return page
