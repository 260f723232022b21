"""Members: counts of metadata keys, and saved searches."""

from __future__ import annotations

from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.reports.members import queries
from vetrina.reports.model import Filters, Kind, Search


async def count_metadata(tx: Tx, *, waiting: bool = True) -> bool:
    """Count keys and values anew if that is due, and while somebody is `waiting` only if it is quick; whether it was done."""
    return await tx.one(queries.COUNT_METADATA, waiting=waiting)


async def keep(tx: Tx, account: AccountId, name: str, kind: Kind, filters: Filters) -> Search:
    """Keep a search under a name, in place of the one that had it. Raises BadSearchName (422)."""
    kept = Jsonb(msgspec.to_builtins(filters))
    return await tx.one(queries.KEEP_SEARCH, account=account, id=new_id(), name=name.strip(), kind=kind, filters=kept)


async def drop(tx: Tx, account: AccountId, search: UUID) -> None:
    """Keep it no longer. Raises NotFound (404)."""
    await tx.one(queries.DROP_SEARCH, account=account, id=search)
