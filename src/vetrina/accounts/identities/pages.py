"""Pages of identity providers: the redirect there, the callback, and the identities of an account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from vetrina.accounts.identities import actions as identities
from vetrina.accounts.identities import queries
from vetrina.accounts.identities.model import SignInExpired
from vetrina.accounts.identities.providers import MINUTES, AuthorizationResponse, Providers
from vetrina.accounts.model import Kind
from vetrina.accounts.sessions.model import SecondFactorNeeded
from vetrina.accounts.sessions.web import redirect_to_second_step, sign_in_browser
from vetrina.accounts.web import caller, home_path
from vetrina.accounts.web import kind as account_kind
from vetrina.core.errors import Refusal
from vetrina.core.rate_limits import Limits
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import CONFIRMED
from vetrina.web.i18n import say

PATH = "/settings/identities"


@get("/auth/providers/{name:str}", include_in_schema=False)
async def begin(request: Request, name: str, kind: Kind = "user", next: str = "") -> Redirect:
    """Redirect to the provider. Only the browser's cookie changes."""
    onward = pages.safe_local_path(next, home_path(request))
    url, sealed = await request.services.get(Providers).begin(name, kind=kind, onward=onward)
    return pages.redirect(url, cookies=[_cookie(request, sealed)])


@get("/auth/providers/{name:str}/callback", include_in_schema=False)
async def callback(request: Request, name: str) -> Response[Any]:
    """Sign in, link, or show why not. The authorization is finished either way."""
    is_link = False
    try:
        await request.services.get(Limits).consume("sign_in", request.client.host if request.client else "unknown")
        pending = request.services.get(Providers).unsealed(name, request.cookies.get(_cookie_name(request)))
        is_link = pending.link_to is not None
        parameters = AuthorizationResponse(*(request.query_params.get(key) for key in ("code", "state", "error", "iss")))
        if is_link:
            account = request.principal
            if account is None or not account.browser:
                raise SignInExpired
            await identities.link(request.services, pending, parameters, account.id, account.session_id, caller=caller(request))
            response: Response[Any] = pages.redirect(PATH, flash=("good", say("Linked. You can sign in with it from now on.")))
        else:
            try:
                session = await identities.sign_in(request.services, pending, parameters, caller(request))
                response = await sign_in_browser(request, session, pending.onward)
            except SecondFactorNeeded as needed:
                response = redirect_to_second_step(request, needed, pending.kind, pending.onward)
    except Refusal as refusal:
        action = {"href": PATH, "title": "Back"} if is_link else {"href": "/sign-in", "title": "Back to sign in"}
        response = pages.refused(request, refusal, action=action)
    response.set_cookie(_cookie(request, ""))
    return response


@get(PATH, guards=[signed_in], include_in_schema=False)
async def list_identities(request: Request) -> Response[str]:
    """Show the linked identities, and the providers to link."""
    return await _page(request)


@post(PATH, guards=[signed_in], include_in_schema=False, opt=CONFIRMED)
async def begin_link(request: Request, data: Form) -> Response[Any]:
    """Show a page that leads to the provider, to link an identity there.

    A form's response may not redirect to another site under our Content-Security-Policy.
    """
    account, name = request.account, data.get("provider", "")
    configured = request.services.get(Providers)
    try:
        url, sealed = await configured.begin(name, kind=account_kind(account.kind), link_to=(account.id, account.session_id))
    except Refusal as refusal:
        return await _page(request, refusal)
    title = configured.get(name).title
    page = pages.render(request, "accounts/identities/redirect.html", nav="account", url=url, provider=title)
    page.set_cookie(_cookie(request, sealed))
    return page


@post(PATH + "/{identity_id:uuid}/unlinking", guards=[signed_in], include_in_schema=False)
async def unlink(request: Request, identity_id: UUID) -> Response[Any]:
    """Unlink an identity, unless it is the only way to sign in."""
    try:
        async with request.tx() as tx:
            await identities.unlink(tx, request.account.id, identity_id)
    except Refusal as refusal:
        return await _page(request, refusal)
    return pages.redirect(PATH, flash=("good", say("That identity is no longer linked.")))


async def _page(request: Request, refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.IDENTITIES, account=request.account.id)
    titles = {provider.name: provider.title for provider in request.services.get(Providers).offered()}
    return pages.render(
        request,
        "accounts/identities/identities.html",
        refusal=refusal,
        nav="account",
        error=refusal.message if refusal else None,
        identities=[
            {
                "id": row.id,
                "title": titles.get(row.provider, row.provider),
                "name": row.email or row.subject,
                "issuer": row.issuer,
                "last_used_at": row.last_used_at,
                "created_at": row.created_at,
            }
            for row in rows
        ],
        providers=[{"name": name, "title": title} for name, title in titles.items()],
    )


def _cookie_name(request: Request) -> str:
    return "__Host-vetrina_provider" if request.services.settings.secure else "vetrina_provider"


def _cookie(request: Request, sealed: str) -> Cookie:
    """Return the cookie that binds the authorization to this browser; "" deletes it."""
    return Cookie(
        _cookie_name(request),
        value=sealed,
        path="/",
        max_age=MINUTES * 60 if sealed else 0,
        httponly=True,
        secure=request.services.settings.secure,
        samesite="lax",
    )


ROUTES: list[Any] = [begin, callback, list_identities, begin_link, unlink]
