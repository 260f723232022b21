"""Actions on posts of others: like, comment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self
from uuid import UUID

from vetrina.core import usage
from vetrina.core.database.batching import Coalescer
from vetrina.core.database.connection import Statement, Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.gallery.model import COMMENT_LENGTH, CommentLength
from vetrina.gallery.reactions import queries


class LikeItem(NamedTuple):
    """An account's like of a post."""

    post_account_id: UUID
    post_id: UUID
    account_id: UUID


class LikeBatcher(Coalescer[LikeItem, bool]):
    """Writes likes that are given together in one statement: a post liked by many in one batch is counted once."""

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the batcher."""
        return cls(_run(services, queries.LIKE), order=tuple)


class UnlikeBatcher(Coalescer[LikeItem, bool]):
    """Takes likes back that are taken back together, in one statement.

    Apart from LikeBatcher, so that no statement waits for a like while it holds counters.
    """

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the batcher."""
        return cls(_run(services, queries.UNLIKE), order=tuple)


def _run(services: Services, statement: Statement[bool]) -> Callable[[list[LikeItem]], Awaitable[list[bool]]]:
    async def run(items: list[LikeItem]) -> list[bool]:
        async with services.db.read() as tx:
            return await tx.fetch_all(
                statement,
                accounts=[item.account_id for item in items],
                owners=[item.post_account_id for item in items],
                posts=[item.post_id for item in items],
            )

    return run


async def like(services: Services, account: AccountId, owner: UUID, post_id: UUID) -> None:
    """Like a post; a second like changes nothing. Raises NotFound (404) for a post that the account may not see."""
    if not await services.get(LikeBatcher)(LikeItem(owner, post_id, account)):
        raise NotFound


async def unlike(services: Services, account: AccountId, owner: UUID, post_id: UUID) -> None:
    """Take a like back, if there is one."""
    await services.get(UnlikeBatcher)(LikeItem(owner, post_id, account))


async def comment(
    tx: Tx, account: AccountId, owner: UUID, post_id: UUID, body: str, parent: tuple[UUID, UUID] | None = None
) -> UUID:
    """Comment on a post, or answer the comment `parent` (its account and id). Return the comment's id.

    Raises CommentLength (422), NotFound (404) for a post that the account may not see or a comment that is not on it.
    """
    body = body.strip()
    if not 1 <= len(body) <= COMMENT_LENGTH:
        raise CommentLength
    parent_account, parent_id = parent or (None, None)
    comment_id = await tx.fetch_one(
        queries.INSERT_COMMENT,
        account=account,
        id=new_id(),
        owner=owner,
        post=post_id,
        body=body,
        parent_account=parent_account,
        parent=parent_id,
    )
    await usage.record(tx, account, "comment_written", {"post_id": str(post_id)})
    return comment_id


async def delete_comment(tx: Tx, actor: AccountId, author: UUID, comment_id: UUID) -> None:
    """Delete a comment with its answers, as its author or the post's owner. Raises NotFound (404)."""
    if not await tx.execute(queries.DELETE_COMMENT, account=author, id=comment_id, actor=actor):
        raise NotFound
