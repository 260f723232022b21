"""Lists of posts: the wall by order, tag or words; the feed; a profile's posts."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from vetrina.core.database import paging
from vetrina.core.database.connection import Statement, Tx
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.gallery.follows import queries as follows
from vetrina.gallery.model import PersonRow, PostRow, Relation
from vetrina.gallery.wall import queries

Order = Literal["new", "liked"]


async def wall(
    tx: Tx,
    viewer: UUID | None,
    cursor: str | None,
    limit: int,
    *,
    order: Order = "new",
    tag: str | None = None,
    q: str | None = None,
) -> Page[PostRow]:
    """Return public posts: those with a tag, those that `q` finds, those liked lately (one page), or all, the newest first.

    Raises Invalid (422) for an invalid cursor.
    """
    if tag:
        return await paging.fetch(tx, queries.BY_TAG, cursor, limit, key=_place, viewer=viewer, tag=tag.lstrip("#").lower())
    if q:
        return await paging.fetch(tx, queries.SEARCH, cursor, limit, key=_place, viewer=viewer, q=q.removeprefix("@"))
    if order == "liked":
        return Page(await tx.fetch_all(queries.LIKED, viewer=viewer, limit=limit), None)
    return await paging.fetch(tx, queries.NEWEST, cursor, limit, key=_place, viewer=viewer)


async def feed(tx: Tx, viewer: UUID, cursor: str | None, limit: int) -> Page[PostRow]:
    """Return the posts of followed accounts, the newest first. Raises Invalid (422) for an invalid cursor."""
    return await paging.fetch(tx, queries.FEED, cursor, limit, key=_place, viewer=viewer)


async def of_account(tx: Tx, viewer: UUID | None, account: UUID, cursor: str | None, limit: int) -> Page[PostRow]:
    """Return what an account published and the viewer may see, the newest first."""
    return await paging.fetch(tx, queries.OF_ACCOUNT, cursor, limit, key=_place, viewer=viewer, account=account)


async def relation(tx: Tx, viewer: UUID | None, account: UUID) -> Relation:
    """Return how the viewer and an account stand. Raises NotFound (404) for an account that blocks the viewer."""
    row = await tx.fetch_one(follows.RELATION, viewer=viewer, other=account)
    if row.is_blocked:
        raise NotFound
    return row


async def people(
    tx: Tx, statement: Statement[PersonRow], cursor: str | None, limit: int, *, account: UUID, viewer: UUID | None
) -> Page[PersonRow]:
    """Return accounts of a list of `follows.queries`."""
    return await paging.fetch(tx, statement, cursor, limit, account=account, viewer=viewer)


def _place(row: PostRow) -> UUID:
    assert row.wall_id is not None, "lists hold published posts"
    return row.wall_id
