"""Pages of identity providers: going there, coming back, and the identities of one's account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from vetrina.accounts.identities import actions as identities
from vetrina.accounts.identities import queries as queries_identities
from vetrina.accounts.identities.model import SignInExpired
from vetrina.accounts.identities.providers import MINUTES, Answer, Kind, providers
from vetrina.accounts.sign_in.pages import second_step
from vetrina.accounts.verification.model import SecondFactorNeeded
from vetrina.accounts.web import device, enter, start
from vetrina.core.errors import Refusal
from vetrina.core.rate_limits import limits
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in

HERE = "/settings/identities"


@get("/auth/providers/{name:str}", include_in_schema=False)
async def begin(request: Request, name: str, kind: Kind = "user", next: str = "") -> Redirect:
    """Off to the provider, to sign in there. Nothing is changed here but the browser's cookie."""
    url, sealed = await request.services.part(providers).begin(name, kind=kind, onward=pages.local(next, start(request)))
    return pages.go(url, cookies=[_cookie(request, sealed)])


@get("/auth/providers/{name:str}/callback", include_in_schema=False)
async def back(request: Request, name: str) -> Response[Any]:
    """Back from the provider: signed in, or linked, or told why not. What was begun is over either way."""
    link = False
    try:
        await request.services.part(limits).spend("sign_in", request.client.host if request.client else "unknown")
        begun = request.services.part(providers).opened(name, request.cookies.get(_cookie_name(request)))
        link = begun.link_to is not None
        answer = Answer(*(request.query_params.get(each) for each in ("code", "state", "error", "iss")))
        if link:
            who = request.principal
            if who is None or not who.browser:
                raise SignInExpired
            await identities.link(request.services, begun, answer, who.id, who.session_id)
            found: Response[Any] = pages.go(HERE, flash=("good", "Linked. You can sign in with it from now on."))
        else:
            try:
                opened = await identities.enter(request.services, begun, answer, device(request))
                found = await enter(request, opened, begun.onward)
            except SecondFactorNeeded as needed:
                found = second_step(request, needed, {"kind": begun.kind, "next": begun.onward})
    except Refusal as refused:
        action = {"href": HERE, "title": "Back"} if link else {"href": "/sign-in", "title": "Back to sign in"}
        found = pages.error(request, refused.status, refused.message, action=action)
        found.headers.update(refused.headers)
    found.set_cookie(_cookie(request, ""))
    return found


@get(HERE, guards=[signed_in], include_in_schema=False)
async def mine(request: Request) -> Response[str]:
    """The identities that are linked, and the providers that could be."""
    return await _mine(request)


@post(HERE, guards=[signed_in], include_in_schema=False)
async def begin_link(request: Request, data: Form) -> Response[Any]:
    """Off to the provider, to link what one signs in with there.

    By a page of its own: a form's answer may not lead to another site under our Content-Security-Policy.
    """
    who, name = request.account, data.get("provider", "")
    known = request.services.part(providers)
    try:
        url, sealed = await known.begin(
            name, kind="vendor" if who.kind == "vendor" else "user", link_to=(who.id, who.session_id)
        )
    except Refusal as refused:
        return await _mine(request, refused)
    page = pages.render(request, "accounts/identities/redirect.html", nav="account", url=url, provider=known.get(name).title)
    page.set_cookie(_cookie(request, sealed))
    return page


@post(HERE + "/{identity_id:uuid}/unlinking", guards=[signed_in], include_in_schema=False)
async def unlink(request: Request, identity_id: UUID) -> Response[Any]:
    """Take one away, unless it is the last way in."""
    try:
        async with request.tx() as tx:
            await identities.unlink(tx, request.account.id, identity_id)
    except Refusal as refused:
        return await _mine(request, refused)
    return pages.go(HERE, flash=("good", "That identity is no longer linked."))


async def _mine(request: Request, refused: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await tx.all(queries_identities.IDENTITIES, account=request.account.id)
    known = {each.name: each.title for each in request.services.part(providers).offered()}
    return pages.render(
        request,
        "accounts/identities/identities.html",
        status=refused.status if refused else 200,
        nav="account",
        error=refused.message if refused else None,
        identities=[
            {
                "id": row.id,
                "title": known.get(row.provider, row.provider),
                "name": row.email or row.subject,
                "issuer": row.issuer,
                "last_used_at": row.last_used_at,
                "created_at": row.created_at,
            }
            for row in rows
        ],
        providers=[{"name": name, "title": title} for name, title in known.items()],
    )


def _cookie_name(request: Request) -> str:
    return "__Host-vetrina_provider" if request.services.settings.secure else "vetrina_provider"


def _cookie(request: Request, sealed: str) -> Cookie:
    """Binds the sign-in to this browser: whoever comes back without it did not begin here. "" takes it away."""
    return Cookie(
        _cookie_name(request),
        value=sealed,
        path="/",
        max_age=MINUTES * 60 if sealed else 0,
        httponly=True,
        secure=request.services.settings.secure,
        samesite="lax",
    )


ROUTES: list[Any] = [begin, back, mine, begin_link, unlink]
