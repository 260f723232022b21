"""Pages of one's account: its name, where one is signed in, what one did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import actions, activity, devices, pages_codes, pages_doors, pages_security, queries
from vetrina.accounts.web import errors
from vetrina.core import usage
from vetrina.core.refusals import Refusal
from vetrina.core.web import pages
from vetrina.core.web.front import Form
from vetrina.core.web.request import Request, signed_in


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
        errors=errors(refused, ("name",)),
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


ROUTES: list[Any] = [
    *pages_doors.ROUTES,
    *pages_codes.ROUTES,
    *pages_security.ROUTES,
    home,
    rename,
    revoke,
    revoke_others,
    usage_page,
]
