"""Actions of the trash.

Deleting takes a file away from every place at once, but keeps its row and bytes; posts, portraits and results show it again
when it is restored. Its bytes count in the account's storage until it is deleted for good, so that restoring needs no room;
an upload's slot is spent with the upload, neither freed by a deletion nor taken again by a restoration.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.media.model import FileRow
from vetrina.media.trash import queries
from vetrina.media.trash.model import TrashedFileRow


async def delete(tx: Tx, account: AccountId, ids: Sequence[UUID]) -> list[TrashedFileRow]:
    """Move the account's files among these to the trash; return them, all with the same `deleted_at`."""
    rows = await tx.fetch_all(queries.TRASH, account=account, ids=list(ids))
    await _record(tx, account, "file_deleted", rows)
    return rows


async def restore(tx: Tx, account: AccountId, ids: Sequence[UUID]) -> list[FileRow]:
    """Restore the account's files among these that are in the trash; return them."""
    rows = await tx.fetch_all(queries.RESTORE, account=account, ids=list(ids))
    await _record(tx, account, "file_restored", rows)
    return rows


async def restore_one(tx: Tx, account: AccountId, file: UUID) -> FileRow:
    """Restore a file. Raises NotFound (404) if it is not in the trash."""
    rows = await restore(tx, account, [file])
    if not rows:
        raise NotFound
    return rows[0]


async def undo(tx: Tx, account: AccountId, deleted_at: datetime) -> list[FileRow]:
    """Restore what one deletion moved to the trash at this time; return it."""
    rows = await tx.fetch_all(queries.RESTORE_DELETED_AT, account=account, deleted_at=deleted_at)
    await _record(tx, account, "file_restored", rows)
    return rows


async def erase(tx: Tx, account: AccountId, ids: Sequence[UUID]) -> int:
    """Delete for good the account's files among these that are in the trash; return how many."""
    rows = await tx.fetch_all(queries.ERASE, account=account, ids=list(ids))
    await _record(tx, account, "file_erased", rows)
    return len(rows)


async def empty(tx: Tx, account: AccountId) -> int:
    """Delete for good everything in the account's trash; return how many files it was."""
    rows = await tx.fetch_all(queries.EMPTY, account=account)
    await _record(tx, account, "file_erased", rows)
    return len(rows)


async def empty_old(tx: Tx, limit: int) -> int:
    """Delete for good up to `limit` files of any account whose days in the trash are over; return how many."""
    rows = await tx.fetch_all(queries.EMPTY_OLD, limit=limit)
    for row in rows:
        await _record(tx, AccountId(row.account_id), "file_erased", [row])
    return len(rows)


async def _record(tx: Tx, account: AccountId, action: str, rows: Sequence[FileRow]) -> None:
    for row in rows:
        await usage.record(tx, account, action, {"file_id": str(row.id), "category": row.category, "bytes": row.bytes})
