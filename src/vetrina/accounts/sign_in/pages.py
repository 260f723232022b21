"""Pages to sign up and in: by e-mail, phone or provider, as a person or a business; and the second step."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import identifiers, queries
from vetrina.accounts.identities.providers import providers
from vetrina.accounts.second_factor import actions as second_factor
from vetrina.accounts.sessions import pending_sign_in as waiting
from vetrina.accounts.sessions.middleware import session_cookie
from vetrina.accounts.sign_in import actions
from vetrina.accounts.verification import actions as codes
from vetrina.accounts.verification.model import ChallengeExpired, SecondFactorNeeded
from vetrina.accounts.web import SIGN_IN_LIMIT, device, enter, errors, in_browser, kind, language, start
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request

WAYS = ("email", "phone", "provider")
SECOND = "/sign-in/second-factor"


@get("/sign-up", include_in_schema=False)
async def sign_up_form(request: Request, next: str = "", kind: str = "user", way: str = "email") -> Response[Any]:
    """The form for a new account."""
    if in_browser(request):
        return pages.go(pages.local(next, start(request)))
    return await _sign_up(request, {"next": next, "kind": kind, "way": way})


@post("/sign-up", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def sign_up(request: Request, data: Form) -> Response[Any]:
    """Make the account and sign it in, or say beside the field what is wrong. A phone's code is asked for next."""
    try:
        opened = await actions.register(
            request.services,
            **_known(data),
            password=data.get("password", ""),
            name=data.get("name"),
            kind=kind(data),
            device=device(request),
            language=language(request),
        )
    except Refusal as refused:
        return await _sign_up(request, data, refused)
    account, onward = opened.account, pages.local(data.get("next"), start(request))
    if account.phone:
        there = waiting.for_code(identifiers.Identifier("phone", account.phone), kind(data), "phone_verify", onward)
        answer = await enter(request, opened, "/verify")
        answer.set_cookie(waiting.cookie(request.services, there))
        return answer
    said = f"We have written to {account.email}. Please confirm the address with the code in that letter."
    return await enter(request, opened, onward, flash=("info", said))


@get("/sign-in", include_in_schema=False)
async def sign_in_form(request: Request, next: str = "", kind: str = "user", way: str = "email") -> Response[Any]:
    """The form to sign in."""
    if in_browser(request):
        return pages.go(pages.local(next, start(request)))
    return _sign_in(request, {"next": next, "kind": kind, "way": way})


@post("/sign-in", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def sign_in(request: Request, data: Form) -> Response[Any]:
    """Sign in, or say what is wrong and keep the address."""
    try:
        opened = await actions.sign_in(
            request.services,
            **_known(data),
            password=data.get("password", ""),
            kind=kind(data),
            device=device(request),
        )
    except SecondFactorNeeded as needed:
        return second_step(request, needed, data)
    except Refusal as refused:
        return _sign_in(request, data, refused)
    return await enter(request, opened, data.get("next"))


@post("/sign-in/code", include_in_schema=False, opt=SIGN_IN_LIMIT)
async def send_code(request: Request, data: Form) -> Response[Any]:
    """Send a code to the phone, if it has an account, and ask for it next."""
    try:
        to = identifiers.one(None, data.get("phone", ""), request.services.settings.phone_region)
        await codes.ask(
            request.services,
            to,
            kind=kind(data),
            purpose="sign_in",
            language=language(request),
            address=device(request).ip,
        )
    except Refusal as refused:
        return _sign_in(request, {**data, "way": "phone"}, refused)
    there = waiting.for_code(to, kind(data), "sign_in", pages.local(data.get("next"), ""))
    return pages.go("/verify", cookies=[waiting.cookie(request.services, there)])


@get(SECOND, include_in_schema=False)
async def second_form(request: Request) -> Response[Any]:
    """The form for the second step."""
    there = waiting.read(request)
    return pages.go("/sign-in") if there is None or not there.challenge else _second(request)


@post(SECOND, include_in_schema=False, opt=SIGN_IN_LIMIT)
async def second(request: Request, data: Form) -> Response[Any]:
    """The second step: a code of the authenticator, or a recovery code."""
    there = waiting.read(request)
    try:
        if there is None or not there.challenge:
            raise ChallengeExpired
        opened = await second_factor.enter(
            request.services,
            challenge=there.challenge,
            code=data.get("code", ""),
            device=device(request),
            language=language(request),
        )
    except ChallengeExpired as over:
        return pages.go("/sign-in", flash=("bad", over.message), cookies=[waiting.cookie(request.services, None)])
    except Refusal as refused:
        return _second(request, refused)
    answer = await enter(request, opened, there.onward)
    answer.set_cookie(waiting.cookie(request.services, None))
    return answer


@post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Redirect:
    """End this browser's session; also when it has ended already."""
    if request.principal is not None:
        async with request.tx() as tx:
            await actions.revoke(tx, request.account.id, request.account.session_id)
    return pages.go("/", flash=("good", "You are signed out."), cookies=[session_cookie(request.services, None)])


def second_step(request: Request, needed: SecondFactorNeeded, data: dict[str, str]) -> Redirect:
    """On to the second step, which then goes on to where the first would have."""
    there = waiting.for_second_step(needed.challenge, kind(data), pages.local(data.get("next"), ""))
    return pages.go(SECOND, cookies=[waiting.cookie(request.services, there)])


def _known(data: dict[str, str]) -> dict[str, str | None]:
    """The address or the number, by the way that the form is for."""
    by_phone = data.get("way") == "phone"
    return {"email": None if by_phone else data.get("email", ""), "phone": data.get("phone", "") if by_phone else None}


async def _sign_up(request: Request, data: dict[str, str], refused: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        gift = await tx.one(queries.WELCOME_TOKENS)
    fields = ("name", "email", "phone", "password")
    return _door(request, "accounts/sign_in/sign_up.html", data, fields, refused, free_tokens=gift)


def _sign_in(request: Request, data: dict[str, str], refused: Refusal | None = None) -> Response[str]:
    return _door(request, "accounts/sign_in/sign_in.html", data, ("email", "phone", "password"), refused)


def _second(request: Request, refused: Refusal | None = None) -> Response[str]:
    return _held(
        pages.render(
            request,
            "accounts/second_factor/second_factor.html",
            status=refused.status if refused else 200,
            errors=errors(refused, ("code",)),
        ),
        refused,
    )


def _door(
    request: Request, template: str, data: dict[str, str], fields: tuple[str, ...], refused: Refusal | None, **more: Any
) -> Response[str]:
    offered = request.services.part(providers).offered()
    way = data.get("way", "")
    page = pages.render(
        request,
        template,
        status=refused.status if refused else 200,
        values={name: data.get(name, "") for name in fields if name != "password"},
        errors=errors(refused, fields),
        next=pages.local(data.get("next"), ""),
        kind=kind(data),
        way=way if way in WAYS and (way != "provider" or offered) else "email",
        providers=offered,
        region=request.services.settings.phone_region,
        **more,
    )
    return _held(page, refused)


def _held(page: Response[str], refused: Refusal | None) -> Response[str]:
    """A refusal's headers: when to come back."""
    if refused:
        page.headers.update({"Retry-After": "2"} if refused.status in {429, 503} else {})
        page.headers.update(refused.headers)
    return page


ROUTES: list[Any] = [sign_up_form, sign_up, sign_in_form, sign_in, send_code, second_form, second, sign_out]
