"""Pages on which a password is reset: by a code that is typed, or by a mail's link."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts import identifiers
from vetrina.accounts.password_reset import actions as password_reset
from vetrina.accounts.sessions import pending_sign_in
from vetrina.accounts.sign_in.forms import chosen_kind, identifier_fields, render_code_form, render_code_link
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.model import WrongCode
from vetrina.accounts.web import SIGN_IN_LIMIT, caller, kind
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request

DONE = ("good", "Your password is changed, and every device is signed out. Sign in with the new one.")


@get("/reset", include_in_schema=False)
async def request_form(request: Request, kind: str = "user", way: str = "email") -> Response[str]:
    """Show the form to request a code."""
    return _request_form(request, {"kind": kind, "way": way})


@post("/reset", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def request_reset(request: Request, data: Form) -> Response[Any]:
    """Send a code, if there is such an account, and ask for it next."""
    account_kind = kind(data.get("kind"))
    try:
        to = identifiers.parse_identifier(**identifier_fields(data), region=request.services.settings.phone_region)
        await verification.request_code(
            request.services,
            to,
            kind="any",
            purpose="password_reset",
            caller=caller(request),
        )
    except Refusal as refusal:
        return _request_form(request, data, refusal)
    pending = pending_sign_in.for_code(to, account_kind, "password_reset", lifetime=verification.LIFETIME)
    return pages.redirect("/reset/code", cookies=[pending_sign_in.cookie(request.services, pending)])


@get("/reset/code", include_in_schema=False)
async def code_form(request: Request) -> Response[Any]:
    """Show the form for the code and the new password."""
    pending = pending_sign_in.read(request)
    return render_code_form(request, pending) if pending and pending.purpose == "password_reset" else pages.redirect("/reset")


@post("/reset/code", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def reset(request: Request, data: Form) -> Response[Any]:
    """Set a new password with the code."""
    pending = pending_sign_in.read(request)
    if pending is None or pending.to is None or pending.purpose != "password_reset":
        return pages.redirect("/reset")
    try:
        reset_kind = await password_reset.reset(
            request.services,
            pending.to,
            kind="any",
            chosen=chosen_kind(data),
            code=data.get("code", ""),
            password=data.get("password", ""),
            caller=caller(request),
        )
    except Refusal as refusal:
        return render_code_form(request, pending, refusal, typed=data.get("code", ""))
    done = pending_sign_in.cookie(request.services, None)
    return pages.redirect(f"/sign-in?kind={reset_kind}", flash=DONE, cookies=[done])


@get("/reset/link/{token:str}", include_in_schema=False)
async def link(request: Request, token: str) -> Response[Any]:
    """Show the form for the new password, opened by a mail's link."""
    sent = verification.read_link(request.services, token)
    return render_code_link(request, token, sent, None if sent else WrongCode())


@post("/reset/link", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def reset_by_link(request: Request, data: Form) -> Response[Any]:
    """Set a new password; the link carries the code."""
    token = data.get("token", "")
    sent = verification.read_link(request.services, token)
    try:
        if sent is None or sent.purpose != "password_reset":
            raise WrongCode
        reset_kind = await password_reset.reset(
            request.services,
            sent.to,
            kind=sent.kind,
            chosen=chosen_kind(data),
            code=sent.code,
            password=data.get("password", ""),
            caller=caller(request),
            by_link=True,
        )
    except Refusal as refusal:
        return render_code_link(request, token, sent, refusal)
    return pages.redirect(f"/sign-in?kind={reset_kind}", flash=DONE)


def _request_form(request: Request, data: dict[str, str], refusal: Refusal | None = None) -> Response[str]:
    return pages.render(
        request,
        "accounts/password_reset/reset.html",
        refusal=refusal,
        values={name: data.get(name, "") for name in ("email", "phone")},
        fields=("email", "phone"),
        kind=kind(data.get("kind")),
        way="phone" if data.get("way") == "phone" else "email",
        region=request.services.settings.phone_region,
    )


ROUTES: list[Any] = [request_form, request_reset, code_form, reset, link, reset_by_link]
