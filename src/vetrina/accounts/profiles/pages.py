"""Pages of one's account: its name, what one did."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from vetrina.accounts import queries
from vetrina.accounts.sign_in import actions
from vetrina.accounts.usage import chart as activity
from vetrina.accounts.web import errors
from vetrina.core import usage
from vetrina.core.errors import Refusal
from vetrina.core.web import pages
from vetrina.core.web.meta_pages import Form
from vetrina.core.web.request import Request, signed_in


@get("/account", guards=[signed_in], include_in_schema=False)
async def home(request: Request) -> Response[str]:
    """The name, and ways to the rest."""
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


@get("/account/usage", guards=[signed_in], include_in_schema=False)
async def usage_page(request: Request, action: str = "", days: str = "30") -> Response[str]:
    """What one did, day by day: a chart and the same as a table."""
    span = int(days) if days in {each["value"] for each in activity.RANGES} else 30
    since = activity.first_day(span)
    async with request.read() as tx:
        counted = await tx.all(usage.BY_DAY, account=request.account.id, since=since, action=None)
    titles = request.services.modules.usage_titles
    shown = activity.context(counted, titles=titles, action=action, since=since, days=span)
    return pages.render(
        request, "accounts/usage/usage.html", nav="account", **shown
    )


async def _home(request: Request, *, name: str | None = None, refused: Refusal | None = None) -> Response[str]:
    who = request.account
    async with request.read() as tx:
        account = await tx.one(queries.ACCOUNT, account=who.id)
    return pages.render(
        request,
        "accounts/profiles/home.html",
        status=refused.status if refused else 200,
        nav="account",
        account=account,
        values={"name": (account.name or "") if name is None else name},
        errors=errors(refused, ("name",)),
        joined_at=account.created_at,
    )


ROUTES: list[Any] = [home, rename, usage_page]
