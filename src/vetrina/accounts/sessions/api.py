"""Where one is signed in, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post

from vetrina.accounts import queries
from vetrina.accounts.sessions import user_agents as devices
from vetrina.accounts.sign_in import actions
from vetrina.core.web.paging import Page
from vetrina.core.web.request import Request, signed_in


class SessionView(msgspec.Struct):
    """A session as its owner sees it: on what, and from where it was used last."""

    id: UUID
    device: str
    user_agent: str | None
    ip: str | None
    last_used_at: datetime
    created_at: datetime
    expires_at: datetime
    current: bool


@get("/sessions", guards=[signed_in], tags=["accounts"])
async def sessions(request: Request) -> Page[SessionView]:
    """The account's open sessions, the last used first."""
    async with request.read() as tx:
        rows = await tx.all(queries.SESSIONS, account=request.account.id)
    return Page(
        [
            SessionView(
                row.id,
                devices.title(row.user_agent),
                row.user_agent,
                row.ip,
                row.last_used_at,
                row.created_at,
                row.expires_at,
                row.id == request.account.session_id,
            )
            for row in rows
        ],
        None,
    )


@post("/sessions/{session_id:uuid}/revocation", guards=[signed_in], status_code=204, tags=["accounts"])
async def revoke(request: Request, session_id: UUID) -> None:
    """End one session; its access token ends with it."""
    async with request.tx() as tx:
        await actions.end(tx, request.account.id, session_id)


@post("/sessions/revocation", guards=[signed_in], status_code=204, tags=["accounts"])
async def revoke_others(request: Request) -> None:
    """End every other session."""
    async with request.tx() as tx:
        await actions.revoke_others(tx, request.account.id, request.account.session_id)


ROUTES: list[Any] = [sessions, revoke, revoke_others]
