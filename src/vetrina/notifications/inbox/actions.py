"""Actions on an account's notifications: list, mark read, delete."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.database.paging import FIRST, Page
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.notifications import presenters
from vetrina.notifications.inbox import queries
from vetrina.notifications.presenters import Notification
from vetrina.notifications.queries import GROUPS


async def notifications(
    tx: Tx, services: Services, account: AccountId, cursor: str | None, limit: int, *, kind: str = "", unread: bool = False
) -> Page[Notification]:
    """Return the account's notifications, the newest first: those of one kind, or the unread ones.

    Raises Invalid (422) for an invalid cursor.
    """
    kinds = [name for name in services.modules.notification_kinds if kind in {"", name}]
    page = await paging.fetch(tx, GROUPS, cursor, limit, account=account, kinds=kinds, unread=unread)
    return Page(presenters.notifications(services, page.items), page.next_cursor)


async def unread(tx: Tx, account: AccountId) -> int:
    """Return the number of unread notifications, among the newest 100 events."""
    return await tx.fetch_one(queries.UNREAD, account=account)


async def mark_read(tx: Tx, account: AccountId, notification: UUID) -> None:
    """Mark a notification with all of its group as read, but not what came after it. Raises NotFound (404)."""
    if await tx.fetch_optional(queries.EXISTS, account=account, id=notification) is None:
        raise NotFound
    if await tx.execute(queries.MARK_READ, account=account, id=notification):
        await tx.execute(queries.ANNOUNCE, account=account)


async def mark_all_read(tx: Tx, account: AccountId, until: UUID = FIRST) -> None:
    """Mark every notification up to the id `until` as read, those that are not listed with them."""
    if await tx.execute(queries.MARK_ALL_READ, account=account, until=until):
        await tx.execute(queries.ANNOUNCE, account=account)


async def delete(tx: Tx, account: AccountId, notification: UUID) -> None:
    """Delete a notification with all of its group. Raises NotFound (404)."""
    if not await tx.execute(queries.DELETE, account=account, id=notification):
        raise NotFound
    await tx.execute(queries.ANNOUNCE, account=account)
