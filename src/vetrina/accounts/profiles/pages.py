"""The page of an account: its name, and links to the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post

from vetrina.accounts import queries as account_queries
from vetrina.accounts.profiles import actions as profiles
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in
from vetrina.web import i18n, time_zones
from vetrina.web.i18n import say


@get("/account", guards=[signed_in], include_in_schema=False)
async def home(request: Request) -> Response[str]:
    """Show the account."""
    return await _home(request)


@post("/account", guards=[signed_in], include_in_schema=False)
async def rename(request: Request, data: Form) -> Response[Any]:
    """Change the name."""
    name = data.get("name", "")
    try:
        async with request.tx() as tx:
            await profiles.rename(tx, request.account.id, name)
    except Refusal as refusal:
        return await _home(request, name=name, refusal=refusal)
    return pages.redirect("/account", flash=("good", say("Saved")))


@post("/account/time-zone", guards=[signed_in], include_in_schema=False)
async def set_time_zone(request: Request, data: Form) -> Response[Any]:
    """Set the zone that times are shown in."""
    try:
        async with request.tx() as tx:
            await profiles.set_time_zone(tx, request.account.id, data.get("time_zone", ""))
    except Refusal as refusal:
        return await _home(request, refusal=refusal)
    return pages.redirect("/account#time-zone", flash=("good", say("Saved")))


@post("/account/language", guards=[signed_in], include_in_schema=False)
async def set_language(request: Request, data: Form) -> Response[Any]:
    """Set the language of the account's pages and letters; an empty one follows the browser."""
    chosen = i18n.named(data.get("language"))
    async with request.tx() as tx:
        await profiles.set_language(tx, request.account.id, chosen)
    with i18n.use(chosen or i18n.preferred(request.headers.get("accept-language"))):
        return pages.redirect("/account#language", flash=("good", say("Saved")), cookies=[pages.language_cookie(chosen)])


@post("/account/tour", guards=[signed_in], include_in_schema=False)
async def tour(request: Request, data: Form) -> Response[Any]:
    """End the studio's tour, or offer it again (`state`: "ended" or "again")."""
    again = data.get("state") == "again"
    async with request.tx() as tx:
        await (profiles.restart_tour if again else profiles.end_tour)(tx, request.account.id)
    use_page = request.services.modules.link("use_file")
    return pages.redirect(use_page if again and use_page else "/account")


async def _home(request: Request, *, name: str | None = None, refusal: Refusal | None = None) -> Response[str]:
    async with request.read() as tx:
        account = await tx.fetch_one(account_queries.ACCOUNT, account=request.account.id)
    return pages.render(
        request,
        "accounts/profiles/home.html",
        refusal=refusal,
        nav="account",
        account=account,
        values={"name": (account.name or "") if name is None else name},
        fields=("name", "time_zone"),
        time_zones=time_zones.choices(),
        now=datetime.now(UTC),
        joined_at=account.created_at,
    )


ROUTES: list[Any] = [home, rename, set_time_zone, set_language, tour]
