"""Where one is signed in: a page to look at and to end sessions from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.response import Redirect

from vetrina.accounts import queries
from vetrina.accounts.sessions import user_agents as devices
from vetrina.accounts.sign_in import actions
from vetrina.core.web import pages
from vetrina.core.web.request import Request, signed_in

HOME = "/settings/sessions"


@get(HOME, guards=[signed_in], include_in_schema=False)
async def sessions(request: Request) -> Response[str]:
    """Every session, this one first."""
    who = request.account
    async with request.read() as tx:
        rows = await tx.all(queries.SESSIONS, account=who.id)
    shown = [
        {
            "id": row.id,
            "device": devices.title(row.user_agent),
            "ip": row.ip or "unknown address",
            "since": row.created_at,
            "last_used_at": row.last_used_at,
            "current": row.id == who.session_id,
        }
        for row in sorted(rows, key=lambda row: row.id != who.session_id)
    ]
    return pages.render(request, "accounts/sessions/sessions.html", nav="account", sessions=shown)


@post(HOME + "/{session_id:uuid}/revocation", guards=[signed_in], include_in_schema=False)
async def revoke(request: Request, session_id: UUID) -> Redirect:
    """End one session; one that is not there, or not one's own, has ended as far as one can tell."""
    async with request.tx() as tx:
        await actions.revoke(tx, request.account.id, session_id, why="revoked by its owner")
    return pages.go(HOME, flash=("good", "That session has ended."))


@post(HOME + "/revocation", guards=[signed_in], include_in_schema=False)
async def revoke_others(request: Request) -> Redirect:
    """End every other session."""
    async with request.tx() as tx:
        count = await actions.revoke_others(tx, request.account.id, request.account.session_id)
    said = "One other session has ended." if count == 1 else f"{count} other sessions have ended."
    return pages.go(HOME, flash=("good", said))


ROUTES: list[Any] = [sessions, revoke, revoke_others]
