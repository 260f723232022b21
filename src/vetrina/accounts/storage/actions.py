"""Storage actions: read use and limit, refuse early, set an account's own limit.

The counters of accounts.storage are the authority: a trigger refuses the row whose bytes would exceed the limit.
"""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts.storage import queries
from vetrina.accounts.storage.model import StorageFull, StorageLimit, StorageUse
from vetrina.core.database.connection import Tx
from vetrina.core.errors import NotFound
from vetrina.web import formatting


async def use(tx: Tx, account: UUID) -> StorageUse:
    """Return the stored bytes of an account and its limit."""
    return await tx.fetch_optional(queries.USE, account=account) or StorageUse(0, None, 0)


async def require_room(tx: Tx, account: UUID, size: int) -> None:
    """Raise StorageFull (409), with the figures, unless `size` more bytes fit."""
    current = await use(tx, account)
    if current.room is not None and current.room < size:
        raise refusal(current, size)


def refusal(current: StorageUse, size: int) -> StorageFull:
    """Return the error for `size` bytes (1: any) that do not fit."""
    limit = current.limit_bytes or 0
    filled = f"{formatting.filesize(current.used_bytes)} of {formatting.filesize(limit)} are used"
    needed = f", and this needs {formatting.filesize(size)}" if size > 1 else ""
    return StorageFull(
        f"Your storage is full: {filled}{needed}. Delete pictures or an export, or choose a larger plan.",
        used_bytes=current.used_bytes,
        limit_bytes=limit,
        needed_bytes=size,
    )


async def limit(tx: Tx, account: UUID) -> StorageLimit:
    """Return an account's use and limits, for operators. Raises NotFound (404)."""
    return await tx.fetch_one(queries.LIMIT, account=account)


async def set_limit(tx: Tx, account: UUID, megabytes: int | None) -> None:
    """Set an account's own limit; None for the site's default, 0 for no limit.

    Raises NotFound (404) for an unknown or erased account, InvalidStorageLimit (422).
    """
    if await tx.fetch_optional(queries.SET_LIMIT, account=account, mb=megabytes) is None:
        raise NotFound
