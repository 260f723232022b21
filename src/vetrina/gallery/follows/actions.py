"""Actions between accounts: follow, approve, block, mute."""

from __future__ import annotations

from typing import NamedTuple, Self
from uuid import UUID

from vetrina.core.database.batching import Coalescer
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.gallery.follows import queries
from vetrina.gallery.model import NotBlockingYourself, NotMutingYourself, NotYourself


class FollowItem(NamedTuple):
    """A follow of one account by another."""

    followed_account_id: UUID
    account_id: UUID


class FollowBatcher(Coalescer[FollowItem, str]):
    """Writes follows that are asked for together in one statement."""

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the batcher."""

        async def run(items: list[FollowItem]) -> list[str]:
            async with services.db.read() as tx:
                return await tx.fetch_all(
                    queries.FOLLOW,
                    accounts=[item.account_id for item in items],
                    followed=[item.followed_account_id for item in items],
                )

        return cls(run, order=tuple)


async def follow(services: Services, account: AccountId, other: UUID) -> bool:
    """Follow an account. Return whether it is approved: a private account approves each follower.

    A second follow changes nothing. Raises NotYourself (422), NotFound (404), also where one blocks the other.
    """
    if account == other:
        raise NotYourself
    outcome = await services.get(FollowBatcher)(FollowItem(other, account))
    if not outcome:
        raise NotFound
    return outcome == "approved"


async def unfollow(tx: Tx, account: AccountId, other: UUID) -> None:
    """End following an account, or take the request back."""
    await tx.execute(queries.UNFOLLOW, account=account, followed=other)


async def approve(tx: Tx, account: AccountId, follower: UUID) -> None:
    """Approve a request to follow. Raises NotFound (404) without one."""
    if not await tx.execute(queries.APPROVE, account=account, follower=follower):
        raise NotFound


async def remove_follower(tx: Tx, account: AccountId, follower: UUID) -> None:
    """Remove a follower, or refuse a request."""
    await tx.execute(queries.UNFOLLOW, account=AccountId(follower), followed=account)


async def block(tx: Tx, account: AccountId, other: UUID) -> None:
    """Block an account: neither sees the other, and neither follows the other any more.

    Raises NotBlockingYourself (422), NotFound (404).
    """
    if account == other:
        raise NotBlockingYourself
    await tx.fetch_one(queries.IS_ACCOUNT, id=other)
    await tx.execute(queries.BLOCK, account=account, other=other)
    await tx.execute(queries.PART, account=account, other=other)


async def is_hidden(tx: Tx, reader: UUID, other: UUID) -> bool:
    """Return whether one of the two accounts blocks the other."""
    return await tx.fetch_one(queries.IS_BLOCKED, account=reader, other=other)


async def unblock(tx: Tx, account: AccountId, other: UUID) -> None:
    """Take a block back, if there is one."""
    await tx.execute(queries.UNBLOCK, account=account, other=other)


async def mute(tx: Tx, account: AccountId, other: UUID) -> None:
    """Keep an account's posts out of one's own lists. Raises NotMutingYourself (422), NotFound (404)."""
    if account == other:
        raise NotMutingYourself
    await tx.fetch_one(queries.IS_ACCOUNT, id=other)
    await tx.execute(queries.MUTE, account=account, other=other)


async def unmute(tx: Tx, account: AccountId, other: UUID) -> None:
    """Show an account's posts again."""
    await tx.execute(queries.UNMUTE, account=account, other=other)


async def set_private(tx: Tx, account: AccountId, *, is_private: bool) -> None:
    """Show posts to approved followers only, or to everyone; then waiting requests are approved."""
    await tx.execute(queries.SET_PRIVATE, account=account, is_private=is_private)
    if not is_private:
        await tx.execute(queries.APPROVE_ALL, account=account)
