"""JSON routes of follows, blocks and mutes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import delete, get, put

from vetrina.core.database import paging
from vetrina.core.database.connection import Statement
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.gallery.follows import actions, queries
from vetrina.gallery.model import PersonRow


class Follow(msgspec.Struct, frozen=True):
    """A follow: approved, or waiting for the approval of a private account."""

    is_approved: bool


class Privacy(msgspec.Struct, forbid_unknown_fields=True):
    """Whether only approved followers see the account's posts."""

    is_private: bool


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a list."""

    id: UUID
    name: str | None
    handle: str | None
    created_at: datetime


@put("/following/{account_id:uuid}", guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def follow(request: Request, account_id: UUID) -> Follow:
    """Follow an account. Repeating it changes nothing."""
    return Follow(await actions.follow(request.services, request.account.id, account_id))


@delete("/following/{account_id:uuid}", guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def unfollow(request: Request, account_id: UUID) -> None:
    """End following an account."""
    async with request.tx() as tx:
        await actions.unfollow(tx, request.account.id, account_id)


@get("/following", guards=[signed_in], tags=["gallery"])
async def following(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[Person]:
    """Return the accounts that the caller follows or asked to follow."""
    return await _people(request, queries.FOLLOWING, cursor, limit, viewer=request.account.id)


@get("/followers", guards=[signed_in], tags=["gallery"])
async def followers(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[Person]:
    """Return the caller's approved followers."""
    return await _people(request, queries.FOLLOWERS, cursor, limit, viewer=request.account.id)


@get("/follow-requests", guards=[signed_in], tags=["gallery"])
async def requests(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[Person]:
    """Return the accounts that wait for the caller's approval."""
    return await _people(request, queries.REQUESTS, cursor, limit)


@put("/followers/{account_id:uuid}", status_code=204, guards=[signed_in], tags=["gallery"])
async def approve(request: Request, account_id: UUID) -> None:
    """Approve a request to follow. 404 without one."""
    async with request.tx() as tx:
        await actions.approve(tx, request.account.id, account_id)


@delete("/followers/{account_id:uuid}", guards=[signed_in], tags=["gallery"])
async def remove_follower(request: Request, account_id: UUID) -> None:
    """Remove a follower, or refuse a request."""
    async with request.tx() as tx:
        await actions.remove_follower(tx, request.account.id, account_id)


@get("/blocks", guards=[signed_in], tags=["gallery"])
async def blocks(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Page[Person]:
    """Return the accounts that the caller blocks."""
    return await _people(request, queries.BLOCKED, cursor, limit)


@put("/blocks/{account_id:uuid}", status_code=204, guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def block(request: Request, account_id: UUID) -> None:
    """Block an account: neither sees the other. Repeating it changes nothing."""
    async with request.tx() as tx:
        await actions.block(tx, request.account.id, account_id)


@delete("/blocks/{account_id:uuid}", guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def unblock(request: Request, account_id: UUID) -> None:
    """Take a block back."""
    async with request.tx() as tx:
        await actions.unblock(tx, request.account.id, account_id)


@put("/mutes/{account_id:uuid}", status_code=204, guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def mute(request: Request, account_id: UUID) -> None:
    """Keep an account's posts out of the caller's lists."""
    async with request.tx() as tx:
        await actions.mute(tx, request.account.id, account_id)


@delete("/mutes/{account_id:uuid}", guards=[signed_in], tags=["gallery"], opt=limited("reactions"))
async def unmute(request: Request, account_id: UUID) -> None:
    """Show an account's posts again."""
    async with request.tx() as tx:
        await actions.unmute(tx, request.account.id, account_id)


@put("/gallery-privacy", guards=[signed_in], tags=["gallery"])
async def set_privacy(request: Request, data: Privacy) -> Privacy:
    """Set whether only approved followers see the account's posts. Opening the account approves waiting requests."""
    async with request.tx() as tx:
        await actions.set_private(tx, request.account.id, is_private=data.is_private)
    return data


async def _people(
    request: Request, statement: Statement[PersonRow], cursor: str | None, limit: int, **arguments: Any
) -> Page[Person]:
    async with request.read() as tx:
        page = await paging.fetch(tx, statement, cursor, limit, account=request.account.id, **arguments)
    return page.map(lambda row: msgspec.convert(row, Person, from_attributes=True))


ROUTES: list[Any] = [
    follow,
    unfollow,
    following,
    followers,
    requests,
    approve,
    remove_follower,
    blocks,
    block,
    unblock,
    mute,
    unmute,
    set_privacy,
]
