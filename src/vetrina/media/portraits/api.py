"""JSON routes of profiles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import get, patch

from vetrina.accounts.profiles.model import ProfileChange
from vetrina.accounts.sessions import actions as sessions
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.media import links
from vetrina.media.links import FileRef
from vetrina.media.portraits import actions as portraits
from vetrina.media.portraits import queries
from vetrina.media.portraits.actions import Profile
from vetrina.media.portraits.model import ProfileRow


class MyProfile(Profile, frozen=True, kw_only=True):
    """The signed-in account's profile. `handle_may_change_at` is null if the handle can be changed now."""

    handle_may_change_at: datetime | None


@get("/me/profile", guards=[signed_in], tags=["profiles"])
async def mine(request: Request) -> MyProfile:
    """Return the signed-in account's profile."""
    async with request.read() as tx:
        return await _mine(request, tx)


@patch("/me/profile", guards=[signed_in], tags=["profiles"])
async def change(request: Request, data: ProfileChange) -> MyProfile:
    """Change handle, name, bio, business profile or portraits. 404 if a file is not the account's.

    409 if the handle is taken (or was within 90 days) or was changed within 14 days, 422 with the field.
    """
    account = request.account
    async with request.tx() as tx:
        await sessions.require_live(tx, account.id, account.session_id)
        await portraits.change(tx, account.id, account.kind, data)
        return await _mine(request, tx)


@get("/profiles/{handle:str}", tags=["profiles"])
async def one(request: Request, handle: str) -> Profile:
    """Return the public profile of a handle."""
    async with request.read() as tx:
        return portraits.profile(request.services, await _row(request, tx, handle))


@get("/profiles/{handle:str}/pictures", tags=["profiles"])
async def pictures(request: Request, handle: str, limit: Limit = 50, cursor: Cursor = None) -> Page[FileRef]:
    """List the profile's public images, newest first."""
    async with request.read() as tx:
        row = await _row(request, tx, handle)
        page = await paging.fetch(tx, queries.PICTURES, cursor, limit, account=row.account_id)
    return page.map(lambda item: links.ref(request.services, item.account_id, item.facts()))


async def _row(request: Request, tx: Tx, handle: str) -> ProfileRow:
    row = await tx.fetch_one(queries.PROFILE, handle=handle.removeprefix("@").lower())
    await request.require_visible(tx, row.account_id)
    return row


async def _mine(request: Request, tx: Tx) -> MyProfile:
    row = await tx.fetch_one(queries.MINE, account=request.account.id)
    public_profile = msgspec.structs.asdict(portraits.profile(request.services, row))
    return MyProfile(**public_profile, handle_may_change_at=row.handle_may_change_at)


ROUTES: list[Any] = [mine, change, one, pictures]
