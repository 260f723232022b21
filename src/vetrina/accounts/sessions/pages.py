"""Pages of sessions: the list, ending them, signing out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import user_agents
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions import queries
from vetrina.accounts.sessions.middleware import session_cookie
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in
from vetrina.web import i18n
from vetrina.web.i18n import say

PATH = "/settings/sessions"


@get(PATH, guards=[signed_in], include_in_schema=False)
async def list_sessions(request: Request) -> Response[str]:
    """Show every session, this one first."""
    current = request.account.session_id
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.LIVE_SESSIONS, account=request.account.id)
    items = [
        {
            "id": row.id,
            "device": user_agents.title(row.user_agent),
            "ip": row.ip or "unknown address",
            "since": row.created_at,
            "last_used_at": row.last_used_at,
            "current": row.id == current,
        }
        for row in sorted(rows, key=lambda row: row.id != current)
    ]
    return pages.render(request, "accounts/sessions/sessions.html", nav="account", sessions=items)


@post(PATH + "/{session_id:uuid}/revocation", guards=[signed_in], include_in_schema=False)
async def revoke(request: Request, session_id: UUID) -> Redirect:
    """End one session. An unknown id is answered in the same way: there is no such session of the account's."""
    async with request.tx() as tx:
        await sessions.revoke(tx, request.account.id, session_id, why="revoked by its owner")
    return pages.redirect(PATH, flash=("good", say("That session has ended.")))


@post(PATH + "/revocation", guards=[signed_in], include_in_schema=False)
async def revoke_others(request: Request) -> Redirect:
    """End every other session."""
    async with request.tx() as tx:
        count = await sessions.revoke_others(tx, request.account.id, request.account.session_id)
    message = i18n.count("{n} other session has ended.", "{n} other sessions have ended.", count)
    return pages.redirect(PATH, flash=("good", message))


@post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Redirect:
    """End this browser's session; also answers a browser whose session has ended."""
    if request.principal is not None:
        async with request.tx() as tx:
            await sessions.revoke(tx, request.account.id, request.account.session_id)
    return pages.redirect("/", flash=("good", say("You are signed out.")), cookies=[session_cookie(request.services, None)])


ROUTES: list[Any] = [list_sessions, revoke, revoke_others, sign_out]
