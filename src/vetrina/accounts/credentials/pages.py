"""Pages on which an account's password, address and phone are changed, and a change is undone."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import identifiers
from vetrina.accounts.credentials import actions as credentials
from vetrina.accounts.model import Purpose
from vetrina.accounts.second_factor.pages import PATH, render_security
from vetrina.accounts.sessions import pending_sign_in
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.web import SIGN_IN_LIMIT, caller, kind
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.web.i18n import say


@post(PATH + "/identifiers", guards=[signed_in], include_in_schema=False, opt=SIGN_IN_LIMIT)
async def request_change(request: Request, data: Form) -> Response[Any]:
    """Send a code to the new address or number, and ask for it next."""
    account, by_phone = request.account, data.get("channel") == "phone"
    value = data.get("phone" if by_phone else "email", "")
    try:
        to = identifiers.parse_identifier(
            None if by_phone else value, value if by_phone else None, request.services.settings.phone_region
        )
        await credentials.request_change(
            request.services,
            account.id,
            account.session_id,
            to,
            kind=kind(account.kind),
            password=data.get("password"),
            code=data.get("code"),
            caller=caller(request),
        )
    except Refusal as refusal:
        return await render_security(request, refusal, form="phone" if by_phone else "email", value=value)
    purpose: Purpose = "phone_change" if by_phone else "email_change"
    pending = pending_sign_in.for_code(
        to, kind(account.kind), purpose, PATH, lifetime=verification.LIFETIME, change_of=account.id
    )
    return pages.redirect("/verify", cookies=[pending_sign_in.cookie(request.services, pending)])


@post(PATH + "/password", guards=[signed_in], include_in_schema=False, opt=SIGN_IN_LIMIT)
async def change_password(request: Request, data: Form) -> Response[Any]:
    """Change the password with the old one."""
    try:
        await credentials.change_password(
            request.services,
            request.account.id,
            request.account.session_id,
            password=data.get("password", ""),
            code=data.get("code"),
            new_password=data.get("new_password", ""),
            caller=caller(request),
        )
    except Refusal as refusal:
        return await render_security(request, refusal, form="password")
    return pages.redirect(PATH, flash=("good", say("The password is changed, and every other device is signed out.")))


@get("/.well-known/change-password", include_in_schema=False, sync_to_thread=False)
def change_password_page() -> Redirect:
    """Redirect to the password form: password managers look for it here (W3C, A Well-Known URL for Changing Passwords)."""
    return Redirect(f"{PATH}#password", status_code=302)


@get("/undo/{token:str}", include_in_schema=False)
async def undo_form(request: Request, token: str) -> Response[str]:
    """Show a button that undoes a change: mail programs open links by themselves."""
    return _undo_form(request, token)


@post("/undo", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def undo(request: Request, data: Form) -> Response[Any]:
    """Undo a change of an address or number."""
    token = data.get("token", "")
    try:
        await credentials.undo(request.services, token, caller=caller(request))
    except Refusal as refusal:
        return _undo_form(request, token, refusal)
    message = say("The change is undone, and every device is signed out. Choose a new password now.")
    return pages.redirect("/reset", flash=("good", message))


def _undo_form(request: Request, token: str, refusal: Refusal | None = None) -> Response[str]:
    page = pages.render(
        request,
        "accounts/credentials/undo.html",
        refusal=refusal,
        token=token,
        error=refusal.message if refusal else None,
    )
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


ROUTES: list[Any] = [change_password_page, request_change, change_password, undo_form, undo]
