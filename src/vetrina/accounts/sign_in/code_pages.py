"""Pages where a code is entered: to confirm an address or a phone, to sign in, to choose a new password."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import identifiers
from vetrina.accounts.password_reset import actions as resets
from vetrina.accounts.sessions import pending_sign_in as waiting
from vetrina.accounts.sessions.pending_sign_in import Waiting
from vetrina.accounts.sign_in import actions
from vetrina.accounts.sign_in.pages import second_step
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification.actions import Sent
from vetrina.accounts.verification.model import SecondFactorNeeded, WrongCode
from vetrina.accounts.web import SIGN_IN_LIMIT, device, enter, errors, in_browser, kind, language, start
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request

SENT_AGAIN = ("good", "Another code is on its way. The one before is no longer good.")
RESET_DONE = ("good", "Your password is changed, and every device is signed out. Sign in with the new one.")


@get("/verify", include_in_schema=False)
async def form(request: Request) -> Response[Any]:
    """Where the code that was sent is entered."""
    there = waiting.read(request)
    if there is None or there.to is None:
        return pages.go("/settings/security" if in_browser(request) else "/sign-in")
    return _code(request, there)


@post("/verify", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def verify(request: Request, data: Form) -> Response[Any]:
    """Judge the code: it confirms, or signs in."""
    there = waiting.read(request)
    if there is None or there.to is None or there.purpose is None:
        return pages.go("/sign-in")
    code = data.get("code", "")
    try:
        if there.purpose == "sign_in":
            opened = await actions.sign_in_by_code(
                request.services, phone=there.to.value, code=code, kind=there.kind, device=device(request)
            )
            answer = await enter(request, opened, there.onward)
            answer.set_cookie(waiting.cookie(request.services, None))
            return answer
        await resets.confirm(
            request.services,
            there.to,
            kind=there.kind,
            purpose=there.purpose,
            code=code,
            address=device(request).ip,
        )
    except SecondFactorNeeded as needed:
        return second_step(request, needed, {"kind": there.kind, "next": there.onward})
    except Refusal as refused:
        return _code(request, there, refused)
    return _confirmed(request, there.to.value, there.onward)


@post("/verify/again", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def again(request: Request) -> Response[Any]:
    """Send another code to where the last one went."""
    there = waiting.read(request)
    if there is None or there.to is None or there.purpose is None:
        return pages.go("/sign-in")
    try:
        await codes.ask(
            request.services,
            there.to,
            kind=there.kind,
            purpose=there.purpose,
            language=language(request),
            address=device(request).ip,
        )
    except Refusal as refused:
        return _code(request, there, refused)
    anew = waiting.for_code(there.to, there.kind, there.purpose, there.onward)
    place = "/reset/code" if there.purpose == "password_reset" else "/verify"
    return pages.go(place, flash=SENT_AGAIN, cookies=[waiting.cookie(request.services, anew)])


@get("/verify/link/{token:str}", include_in_schema=False)
async def link(request: Request, token: str) -> Response[Any]:
    """What a letter's link opens: a button, because mail programs follow links by themselves."""
    sent = codes.opened(request.services, token)
    return _link(request, token, sent, None if sent else WrongCode())


@post("/verify/link", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def by_link(request: Request, data: Form) -> Response[Any]:
    """Confirm the address that the link is for."""
    token = data.get("token", "")
    sent = codes.opened(request.services, token)
    try:
        if sent is None:
            raise WrongCode
        await resets.confirm(
            request.services,
            sent.to,
            kind=sent.kind,
            purpose=sent.purpose,
            code=sent.code,
            address=device(request).ip,
        )
    except Refusal as refused:
        return _link(request, token, sent, refused)
    return _confirmed(request, sent.to.value, start(request))


@get("/reset", include_in_schema=False)
async def reset_form(request: Request, kind: str = "user", way: str = "email") -> Response[str]:
    """The form to ask for a new password."""
    return _reset(request, {"kind": kind, "way": way})


@post("/reset", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def ask_for_reset(request: Request, data: Form) -> Response[Any]:
    """Send a code, if there is such an account, and ask for it next."""
    by_phone = data.get("way") == "phone"
    try:
        to = identifiers.one(
            None if by_phone else data.get("email", ""),
            data.get("phone", "") if by_phone else None,
            request.services.settings.phone_region,
        )
        await codes.ask(
            request.services,
            to,
            kind=kind(data),
            purpose="password_reset",
            language=language(request),
            address=device(request).ip,
        )
    except Refusal as refused:
        return _reset(request, data, refused)
    there = waiting.for_code(to, kind(data), "password_reset")
    return pages.go("/reset/code", cookies=[waiting.cookie(request.services, there)])


@get("/reset/code", include_in_schema=False)
async def reset_code(request: Request) -> Response[Any]:
    """Where the code and the new password are entered."""
    there = waiting.read(request)
    return _code(request, there) if there and there.purpose == "password_reset" else pages.go("/reset")


@post("/reset/code", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def reset(request: Request, data: Form) -> Response[Any]:
    """Choose a new password with the code."""
    there = waiting.read(request)
    if there is None or there.to is None or there.purpose != "password_reset":
        return pages.go("/reset")
    try:
        await resets.reset(
            request.services,
            there.to,
            kind=there.kind,
            code=data.get("code", ""),
            password=data.get("password", ""),
            language=language(request),
            address=device(request).ip,
        )
    except Refusal as refused:
        return _code(request, there, refused, typed=data.get("code", ""))
    return pages.go(f"/sign-in?kind={there.kind}", flash=RESET_DONE, cookies=[waiting.cookie(request.services, None)])


@get("/reset/link/{token:str}", include_in_schema=False)
async def reset_link(request: Request, token: str) -> Response[Any]:
    """What a letter's link opens: the form for the new password."""
    sent = codes.opened(request.services, token)
    return _link(request, token, sent, None if sent else WrongCode())


@post("/reset/link", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def reset_by_link(request: Request, data: Form) -> Response[Any]:
    """Choose a new password; the link carries the code."""
    token = data.get("token", "")
    sent = codes.opened(request.services, token)
    try:
        if sent is None or sent.purpose != "password_reset":
            raise WrongCode
        await resets.reset(
            request.services,
            sent.to,
            kind=sent.kind,
            code=sent.code,
            password=data.get("password", ""),
            language=language(request),
            address=device(request).ip,
        )
    except Refusal as refused:
        return _link(request, token, sent, refused)
    return pages.go(f"/sign-in?kind={sent.kind}", flash=RESET_DONE)


def _confirmed(request: Request, what: str, onward: str) -> Redirect:
    inside = in_browser(request)
    return pages.go(
        pages.local(onward, start(request)) if inside else "/sign-in",
        flash=("good", f"{what} is confirmed."),
        cookies=[waiting.cookie(request.services, None)],
    )


def _code(request: Request, there: Waiting, refused: Refusal | None = None, typed: str = "") -> Response[str]:
    reset = there.purpose == "password_reset"
    page = pages.render(
        request,
        "accounts/sign_in/code.html",
        status=refused.status if refused else 200,
        purpose=there.purpose,
        to=there.to.value if there.to else "",
        channel=there.to.channel if there.to else "email",
        until=there.until,
        action="/reset/code" if reset else "/verify",
        values={"code": typed},
        errors=errors(refused, ("code", "password") if reset else ("code",)),
        later=pages.local(there.onward, start(request)) if in_browser(request) else "",
    )
    page.headers.update(refused.headers if refused else {})
    return page


def _link(request: Request, token: str, sent: Sent | None, refused: Refusal | None) -> Response[str]:
    page = pages.render(
        request,
        "accounts/sign_in/code_link.html",
        status=refused.status if refused else 200,
        token=token if sent else "",
        to=sent.to.value if sent else "",
        reset=request.url.path.startswith("/reset"),
        errors=errors(refused, ("password",)),
    )
    page.headers.update(refused.headers if refused else {})
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


def _reset(request: Request, data: dict[str, str], refused: Refusal | None = None) -> Response[str]:
    page = pages.render(
        request,
        "accounts/password_reset/reset.html",
        status=refused.status if refused else 200,
        values={name: data.get(name, "") for name in ("email", "phone")},
        errors=errors(refused, ("email", "phone")),
        kind=kind(data),
        way="phone" if data.get("way") == "phone" else "email",
        region=request.services.settings.phone_region,
    )
    page.headers.update(refused.headers if refused else {})
    return page


ROUTES: list[Any] = [
    form,
    verify,
    again,
    link,
    by_link,
    reset_form,
    ask_for_reset,
    reset_code,
    reset,
    reset_link,
    reset_by_link,
]
