"""JSON routes of sessions: refreshing, signing out, listing and revoking them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post

from vetrina.accounts import user_agents
from vetrina.accounts.sessions import actions as sessions
from vetrina.accounts.sessions import queries
from vetrina.accounts.sessions.model import SessionRow
from vetrina.accounts.sessions.web import Tokens
from vetrina.accounts.web import SIGN_IN_LIMIT, caller
from vetrina.core.database.paging import Page
from vetrina.core.web.request import Request, signed_in


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """Request to refresh a session."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=200)]


class SessionView(msgspec.Struct):
    """A session: its device, and the address that it was used from last."""

    id: UUID
    device: str
    user_agent: str | None
    ip: str | None
    last_used_at: datetime
    created_at: datetime
    expires_at: datetime
    current: bool


@post("/auth/refresh", tags=["accounts"], opt=SIGN_IN_LIMIT)
async def refresh(request: Request, data: Refresh) -> Tokens:
    """Return the next pair of tokens. Each refresh token works once; used again later it ends the session."""
    token, kind = await sessions.refresh(request.services, data.refresh_token, caller(request))
    return Tokens(sessions.access_token(request.services, token, kind), token.text())


@delete("/auth/session", guards=[signed_in], tags=["accounts"])
async def sign_out(request: Request) -> None:
    """End this session."""
    async with request.tx() as tx:
        await sessions.revoke(tx, request.account.id, request.account.session_id)


@get("/sessions", guards=[signed_in], tags=["accounts"])
async def list_sessions(request: Request) -> Page[SessionView]:
    """Return the account's open sessions, the last used first."""
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.LIVE_SESSIONS, account=request.account.id)
    return Page([_view(row, current=row.id == request.account.session_id) for row in rows], None)


@post("/sessions/{session_id:uuid}/revocation", guards=[signed_in], status_code=204, tags=["accounts"])
async def revoke(request: Request, session_id: UUID) -> None:
    """End one session and its access token."""
    async with request.tx() as tx:
        await sessions.revoke_own(tx, request.account.id, session_id)


@post("/sessions/revocation", guards=[signed_in], status_code=204, tags=["accounts"])
async def revoke_others(request: Request) -> None:
    """End every other session."""
    async with request.tx() as tx:
        await sessions.revoke_others(tx, request.account.id, request.account.session_id)


def _view(row: SessionRow, *, current: bool) -> SessionView:
    return SessionView(**msgspec.structs.asdict(row), device=user_agents.title(row.user_agent), current=current)


ROUTES: list[Any] = [refresh, sign_out, list_sessions, revoke, revoke_others]
