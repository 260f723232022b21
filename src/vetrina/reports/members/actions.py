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
    """Count metadata keys and values if that is due; during a request (`waiting`) only if it is quick.

    Return whether it ran.
    """
    return await tx.fetch_one(queries.COUNT_METADATA, waiting=waiting)


async def save_search(tx: Tx, account: AccountId, name: str, kind: Kind, filters: Filters) -> Search:
    """Save a search; it replaces a search of the same name. Raises InvalidSearchName (422)."""
    document = Jsonb(msgspec.to_builtins(filters))
    return await tx.fetch_one(queries.SAVE_SEARCH, account=account, id=new_id(), name=name.strip(), kind=kind, filters=document)


async def delete_search(tx: Tx, account: AccountId, search: UUID) -> None:
    """Delete a saved search. Raises NotFound (404)."""
    await tx.fetch_one(queries.DELETE_SEARCH, account=account, id=search)
