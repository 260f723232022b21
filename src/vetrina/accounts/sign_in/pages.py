"""Pages to sign up and to sign in: by e-mail, phone or provider, as a person or a business."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts import identifiers, known_devices
from vetrina.accounts.model import Purpose
from vetrina.accounts.sessions import pending_sign_in
from vetrina.accounts.sessions.model import SecondFactorNeeded
from vetrina.accounts.sessions.web import redirect_to_second_step, sign_in_browser
from vetrina.accounts.sign_in import actions, queries
from vetrina.accounts.sign_in.forms import identifier_fields, render_auth_page
from vetrina.accounts.sign_in.model import ChooseKind
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.web import SIGN_IN_LIMIT, caller, home_path, in_browser, kind
from vetrina.core.errors import Refusal
from vetrina.core.messages import delivers
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.web.i18n import say


@get("/sign-up", include_in_schema=False)
async def sign_up_form(request: Request, next: str = "", kind: str = "user", way: str = "email") -> Response[Any]:
    """Show the form for a new account."""
    if in_browser(request):
        return pages.redirect(pages.safe_local_path(next, home_path(request)))
    return await _sign_up(request, {"next": next, "kind": kind, "way": way})


@post("/sign-up", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def sign_up(request: Request, data: Form) -> Response[Any]:
    """Create the account and sign it in. The code that was sent is asked for next, and may be entered later."""
    try:
        session = await actions.register(
            request.services,
            **identifier_fields(data),
            password=data.get("password", ""),
            name=data.get("name"),
            kind=kind(data.get("kind")),
            caller=caller(request),
        )
    except Refusal as refusal:
        return await _sign_up(request, data, refusal)
    account, onward = session.account, pages.safe_local_path(data.get("next"), home_path(request))
    purpose: Purpose
    if account.phone:
        to, purpose = identifiers.Identifier("phone", account.phone), "phone_verify"
    elif delivers(request.services.settings, "email"):
        to, purpose = identifiers.Identifier("email", account.email or ""), "email_verify"
    else:
        message = say("This site does not send mail yet. Its operator can confirm your address.")
        return await sign_in_browser(request, session, onward, flash=("info", message))
    pending = pending_sign_in.for_code(to, kind(data.get("kind")), purpose, onward, lifetime=verification.LIFETIME)
    response = await sign_in_browser(request, session, "/verify")
    response.set_cookie(pending_sign_in.cookie(request.services, pending))
    return response


@get("/sign-in", include_in_schema=False)
async def sign_in_form(request: Request, next: str = "", kind: str = "user", way: str = "email") -> Response[Any]:
    """Show the form to sign in."""
    if in_browser(request):
        return pages.redirect(pages.safe_local_path(next, home_path(request)))
    return _sign_in(request, {"next": next, "kind": kind, "way": way})


@post("/sign-in", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def sign_in(request: Request, data: Form) -> Response[Any]:
    """Sign in to whichever kind of account fits, or show what is wrong and keep the identifier."""
    try:
        session = await actions.sign_in(
            request.services,
            **identifier_fields(data),
            password=data.get("password", ""),
            kind=None,
            caller=caller(request),
            known_device=known_devices.read(request),
        )
    except SecondFactorNeeded as needed:
        return redirect_to_second_step(request, needed, kind(data.get("kind")), data.get("next"))
    except ChooseKind as choose:
        return _choose_kind(request, choose.sealed, data.get("next"))
    except Refusal as refusal:
        return _sign_in(request, data, refusal)
    return await sign_in_browser(request, session, data.get("next"))


@post("/sign-in/kind", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def choose_kind(request: Request, data: Form) -> Response[Any]:
    """Sign in to the chosen one of two accounts that the password fits."""
    chosen = kind(data.get("kind"))
    try:
        session = await actions.sign_in_to_kind(
            request.services, choice=data.get("choice", ""), kind=chosen, caller=caller(request)
        )
    except SecondFactorNeeded as needed:
        return redirect_to_second_step(request, needed, chosen, data.get("next"))
    except Refusal as refusal:
        return _sign_in(request, data, refusal)
    return await sign_in_browser(request, session, data.get("next"))


@post("/sign-in/code", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def send_code(request: Request, data: Form) -> Response[Any]:
    """Send a code to the phone, if it has an account, and ask for it next."""
    try:
        to = identifiers.parse_identifier(None, data.get("phone", ""), request.services.settings.phone_region)
        await verification.request_code(
            request.services,
            to,
            kind="any",
            purpose="sign_in",
            caller=caller(request),
        )
    except Refusal as refusal:
        return _sign_in(request, {**data, "way": "phone"}, refusal)
    onward = pages.safe_local_path(data.get("next"), "")
    pending = pending_sign_in.for_code(to, kind(data.get("kind")), "sign_in", onward, lifetime=verification.LIFETIME)
    return pages.redirect("/verify", cookies=[pending_sign_in.cookie(request.services, pending)])


def _choose_kind(request: Request, choice: str, onward: str | None) -> Response[str]:
    return pages.render(
        request, "accounts/sign_in/choose_kind.html", choice=choice, next=pages.safe_local_path(onward, ""), errors={}
    )


async def _sign_up(request: Request, data: dict[str, str], refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        tokens = await tx.fetch_one(queries.WELCOME_TOKENS)
    fields = ("name", "email", "phone", "password")
    return render_auth_page(request, "accounts/sign_in/sign_up.html", data, fields, refusal, free_tokens=tokens)


def _sign_in(request: Request, data: dict[str, str], refusal: Refusal | None = None) -> Response[str]:
    return render_auth_page(request, "accounts/sign_in/sign_in.html", data, ("email", "phone", "password"), refusal)


ROUTES: list[Any] = [sign_up_form, sign_up, sign_in_form, sign_in, choose_kind, send_code]
