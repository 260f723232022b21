"""Pages of one's account: signing up, in and out, where one is signed in, what one did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import actions, activity, devices, queries
from vetrina.accounts.actions import Opened
from vetrina.accounts.api import device
from vetrina.accounts.identify import session_cookie
from vetrina.core import usage
from vetrina.core.refusals import Refusal
from vetrina.core.web import pages
from vetrina.core.web.front import Form
from vetrina.core.web.request import Request, signed_in

START = "/studio"
"""Where one goes after signing in from nowhere in particular."""


@get("/sign-up", include_in_schema=False)
async def sign_up_form(request: Request, next: str = "") -> Response[Any]:
    """The form for a new account."""
    if _in_browser(request):
        return pages.go(pages.local(next, _start(request)))
    return await _sign_up(request, {"next": next})


@post("/sign-up", include_in_schema=False)
async def sign_up(request: Request, data: Form) -> Response[Any]:
    """Make the account and sign it in, or say beside the field what is wrong."""
    email, password = data.get("email", ""), data.get("password", "")
    try:
        opened = await actions.register(
            request.services, email=email, password=password, name=data.get("name"), kind="user", device=device(request)
        )
    except Refusal as refused:
        return await _sign_up(request, data, refused)
    return await _enter(request, opened, data.get("next"))


@get("/sign-in", include_in_schema=False)
async def sign_in_form(request: Request, next: str = "") -> Response[Any]:
    """The form to sign in."""
    if _in_browser(request):
        return pages.go(pages.local(next, _start(request)))
    return _sign_in(request, {"next": next})


@post("/sign-in", include_in_schema=False)
async def sign_in(request: Request, data: Form) -> Response[Any]:
    """Sign in, or say what is wrong and keep the address."""
    email, password = data.get("email", ""), data.get("password", "")
    try:
        opened = await actions.sign_in(request.services, email=email, password=password, kind="user", device=device(request))
    except Refusal as refused:
        return _sign_in(request, data, refused)
    return await _enter(request, opened, data.get("next"))


@post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Redirect:
    """End this browser's session; also when it has ended already."""
    if request.principal is not None:
        async with request.tx() as tx:
            await actions.revoke(tx, request.account.id, request.account.session_id)
    return pages.go("/", flash=("good", "You are signed out."), cookies=[session_cookie(request.services, None)])


@get("/account", guards=[signed_in], include_in_schema=False)
async def home(request: Request) -> Response[str]:
    """The name, and where one is signed in."""
    return await _home(request)


@post("/account", guards=[signed_in], include_in_schema=False)
async def rename(request: Request, data: Form) -> Response[Any]:
    """Keep another name."""
    name = data.get("name", "")
    try:
        async with request.tx() as tx:
            await actions.rename(tx, request.account.id, name)
    except Refusal as refused:
        return await _home(request, name=name, refused=refused)
    return pages.go("/account", flash=("good", "Saved"))


@post("/account/sessions/{session_id:uuid}/revocation", guards=[signed_in], include_in_schema=False)
async def revoke(request: Request, session_id: UUID) -> Redirect:
    """End one session; one that is not there, or not one's own, has ended as far as one can tell."""
    async with request.tx() as tx:
        await actions.revoke(tx, request.account.id, session_id, why="revoked by its owner")
    return pages.go("/account", flash=("good", "That session has ended."))


@post("/account/sessions/revocation", guards=[signed_in], include_in_schema=False)
async def revoke_others(request: Request) -> Redirect:
    """End every other session."""
    async with request.tx() as tx:
        count = await actions.revoke_others(tx, request.account.id, request.account.session_id)
    said = "One other session has ended." if count == 1 else f"{count} other sessions have ended."
    return pages.go("/account", flash=("good", said))


@get("/account/usage", guards=[signed_in], include_in_schema=False)
async def usage_page(request: Request, action: str = "", days: str = "30") -> Response[str]:
    """What one did, day by day: a chart and the same as a table."""
    span = int(days) if days in {each["value"] for each in activity.RANGES} else 30
    since = activity.first_day(span)
    async with request.read() as tx:
        counted = await tx.all(usage.BY_DAY, account=request.account.id, since=since, action=None)
    return pages.render(
        request, "accounts/usage.html", nav="account", **activity.context(counted, action=action, since=since, days=span)
    )


async def _sign_up(request: Request, data: dict[str, str], refused: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        gift = await tx.one(queries.WELCOME_TOKENS)
    return _door(request, "accounts/sign_up.html", data, ("name", "email", "password"), refused, free_tokens=gift)


def _sign_in(request: Request, data: dict[str, str], refused: Refusal | None = None) -> Response[str]:
    return _door(request, "accounts/sign_in.html", data, ("email", "password"), refused)


def _start(request: Request) -> str:
    """Where who has signed in begins; the front door where there is no studio."""
    return START if request.services.settings.loads("studio") else "/"


def _door(
    request: Request, template: str, data: dict[str, str], fields: tuple[str, ...], refused: Refusal | None, **more: Any
) -> Response[str]:
    values = {name: data.get(name, "") for name in fields if name != "password"}
    page = pages.render(
        request,
        template,
        status=refused.status if refused else 200,
        values=values,
        errors=_errors(refused, fields),
        next=pages.local(data.get("next"), ""),
        **more,
    )
    if refused and refused.status in {429, 503}:
        page.headers["Retry-After"] = "2"
    return page


async def _enter(request: Request, opened: Opened, onward: str | None) -> Redirect:
    """The new session takes the place of the one that this browser may have had."""
    if (had := request.principal) is not None and had.browser:
        async with request.tx() as tx:
            await actions.revoke(tx, had.id, had.session_id, why="signed in again")
    return pages.go(pages.local(onward, _start(request)), cookies=[session_cookie(request.services, opened.token)])


async def _home(request: Request, *, name: str | None = None, refused: Refusal | None = None) -> Response[str]:
    who = request.account
    async with request.read() as tx:
        account = await tx.one(queries.ACCOUNT, account=who.id)
        rows = await tx.all(queries.SESSIONS, account=who.id)
    return pages.render(
        request,
        "accounts/home.html",
        status=refused.status if refused else 200,
        nav="account",
        account=account,
        values={"name": (account.name or "") if name is None else name},
        errors=_errors(refused, ("name",)),
        joined_at=account.created_at,
        sessions=[
            {
                "id": row.id,
                "device": devices.title(row.user_agent),
                "ip": row.ip or "unknown address",
                "last_used_at": row.last_used_at,
                "current": row.id == who.session_id,
            }
            for row in sorted(rows, key=lambda row: row.id != who.session_id)
        ],
    )


def _errors(refused: Refusal | None, fields: tuple[str, ...]) -> dict[str, str]:
    """What to say beside which field; "" for what belongs to none of the form's."""
    return {refused.field if refused.field in fields else "": refused.message} if refused else {}


def _in_browser(request: Request) -> bool:
    return request.principal is not None and request.principal.browser


ROUTES: list[Any] = [
    sign_up_form,
    sign_up,
    sign_in_form,
    sign_in,
    sign_out,
    home,
    rename,
    revoke,
    revoke_others,
    usage_page,
]
