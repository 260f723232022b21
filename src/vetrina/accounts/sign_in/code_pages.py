"""Pages on which a code is entered that confirms an identifier or signs in."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts.credentials import actions as credentials
from vetrina.accounts.identifiers import Identifier
from vetrina.accounts.model import Kind, Purpose
from vetrina.accounts.sessions import pending_sign_in
from vetrina.accounts.sessions.model import SecondFactorNeeded
from vetrina.accounts.sessions.web import redirect_to_second_step, sign_in_browser
from vetrina.accounts.sign_in import actions
from vetrina.accounts.sign_in.forms import chosen_kind, render_code_form, render_code_link
from vetrina.accounts.verification import actions as verification
from vetrina.accounts.verification.model import WrongCode
from vetrina.accounts.web import SIGN_IN_LIMIT, caller, home_path, in_browser
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request
from vetrina.web.i18n import say

SENT_AGAIN = ("good", "Another code has been sent. The one before is no longer valid.")


@get("/verify", include_in_schema=False)
async def form(request: Request) -> Response[Any]:
    """Show the form for the code that was sent."""
    pending = pending_sign_in.read(request)
    if pending is None or pending.to is None:
        return pages.redirect("/settings/security" if in_browser(request) else "/sign-in")
    return render_code_form(request, pending)


@post("/verify", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def verify(request: Request, data: Form) -> Response[Any]:
    """Check the code: it confirms an identifier, or signs in."""
    pending = pending_sign_in.read(request)
    if pending is None or pending.to is None or pending.purpose is None:
        return pages.redirect("/sign-in")
    code = data.get("code", "")
    try:
        if pending.purpose == "sign_in":
            session = await actions.sign_in_by_code(
                request.services,
                phone=pending.to.value,
                code=code,
                kind="any",
                caller=caller(request),
                chosen=chosen_kind(data),
            )
            response = await sign_in_browser(request, session, pending.onward)
            response.set_cookie(pending_sign_in.cookie(request.services, None))
            return response
        if pending.purpose in {"email_change", "phone_change"}:
            return await _change(request, pending.to, pending.kind, code)
        ended = await _confirm(request, pending.to, pending.kind, pending.purpose, code, data.get("password"))
    except SecondFactorNeeded as needed:
        return redirect_to_second_step(request, needed, pending.kind, pending.onward)
    except Refusal as refusal:
        return render_code_form(request, pending, refusal, typed=code)
    return _confirmed(request, pending.to, pending.onward, access_ended=ended)


@post("/verify/again", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def send_again(request: Request) -> Response[Any]:
    """Send another code to the same identifier."""
    pending = pending_sign_in.read(request)
    if pending is None or pending.to is None or pending.purpose is None:
        return pages.redirect("/sign-in")
    try:
        await verification.request_code(
            request.services,
            pending.to,
            kind=verification.kind_of_page(pending.purpose, pending.kind),
            purpose=pending.purpose,
            caller=caller(request),
            change_of=pending.change_of,
        )
    except Refusal as refusal:
        return render_code_form(request, pending, refusal)
    renewed = pending_sign_in.for_code(
        pending.to,
        pending.kind,
        pending.purpose,
        pending.onward,
        lifetime=verification.LIFETIME,
        change_of=pending.change_of,
    )
    path = "/reset/code" if pending.purpose == "password_reset" else "/verify"
    return pages.redirect(path, flash=SENT_AGAIN, cookies=[pending_sign_in.cookie(request.services, renewed)])


@get("/verify/link/{token:str}", include_in_schema=False)
async def link(request: Request, token: str) -> Response[Any]:
    """Show a button to confirm with: mail programs open links by themselves."""
    sent = verification.read_link(request.services, token)
    return render_code_link(request, token, sent, None if sent else WrongCode())


@post("/verify/link", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def confirm_by_link(request: Request, data: Form) -> Response[Any]:
    """Confirm the address of the link."""
    token = data.get("token", "")
    sent = verification.read_link(request.services, token)
    try:
        if sent is None or sent.kind == "any":
            raise WrongCode
        ended = await _confirm(request, sent.to, sent.kind, sent.purpose, sent.code, data.get("password"), by_link=True)
    except Refusal as refusal:
        return render_code_link(request, token, sent, refusal)
    return _confirmed(request, sent.to, home_path(request), access_ended=ended)


async def _change(request: Request, to: Identifier, kind: Kind, code: str) -> Redirect:
    """Change the address or number of the account that is signed in."""
    await credentials.confirm_change(request.services, request.account.id, to, kind=kind, code=code, caller=caller(request))
    done = pending_sign_in.cookie(request.services, None)
    return pages.redirect(
        "/settings/security", flash=("good", say("{identifier} is yours now.", identifier=to.value)), cookies=[done]
    )


async def _confirm(
    request: Request, to: Identifier, kind: Kind, purpose: Purpose, code: str, password: str | None, *, by_link: bool = False
) -> bool:
    """Confirm as the account that is signed in here or has this password; return whether earlier ways to sign in ended."""
    account = request.principal.id if request.principal else None
    if account is None and password:
        account = await verification.prove_account(request.services, to, kind=kind, password=password)
    return await verification.confirm(
        request.services, to, kind=kind, purpose=purpose, code=code, caller=caller(request), account=account, by_link=by_link
    )


def _confirmed(request: Request, to: Identifier, onward: str, *, access_ended: bool) -> Redirect:
    flash = ("good", say("{identifier} is confirmed.", identifier=to.value))
    path = pages.safe_local_path(onward, home_path(request)) if in_browser(request) else "/sign-in"
    if access_ended:
        flash = (
            "info",
            say(
                "{identifier} is confirmed, and earlier ways to sign in have ended. Choose a new password now.",
                identifier=to.value,
            ),
        )
        path = f"/reset?way={to.channel}"
    return pages.redirect(path, flash=flash, cookies=[pending_sign_in.cookie(request.services, None)])


ROUTES: list[Any] = [form, verify, send_again, link, confirm_by_link]
