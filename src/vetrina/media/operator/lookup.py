"""What the operators' search and an account's page show of files: figures and ids, not the pictures themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.module import SearchGroup, SearchHit
from vetrina.media.operator import queries
from vetrina.web.i18n import say


async def search_files(tx: Tx, text: str) -> SearchGroup:
    """Return the picture with this id: the page of a public one, the account of another."""
    picture = read_id(text)
    rows = await tx.fetch_all(queries.BY_ID, id=picture) if picture else []
    hits = [
        SearchHit(
            row.file_name,
            f"/operator/public-pictures/{row.account_id}/{row.id}" if row.is_public else f"/operator/accounts/{row.account_id}",
            row.category.replace("_", " "),
            True,
        )
        for row in rows
    ]
    return SearchGroup("pictures", say("Pictures"), hits)


async def section(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Return an account's files by category for its page."""
    return {"counts": await tx.fetch_all(queries.COUNTS, account=account_id)}
