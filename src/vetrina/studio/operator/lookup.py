"""What the operators' search and an account's page show of generations: state, style and errors, no prompts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.module import SearchGroup, SearchHit
from vetrina.studio.operator import queries
from vetrina.studio.operator.queries import GenerationHit
from vetrina.web.i18n import say

SHOWN = 8


async def search_generations(tx: Tx, text: str) -> SearchGroup:
    """Return the generation with this id, as a link to its account."""
    generation = read_id(text)
    rows = await tx.fetch_all(queries.BY_ID, id=generation) if generation else []
    hits = [
        SearchHit(say(row.style), f"/operator/accounts/{row.account_id}#generations-title", _detail(row), True) for row in rows
    ]
    return SearchGroup("generations", say("Generations"), hits)


async def section(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Return an account's generations by state and the latest ones for its page."""
    return {
        "counts": await tx.fetch_all(queries.COUNTS, account=account_id),
        "generations": await tx.fetch_all(queries.LATEST, account=account_id, limit=SHOWN),
    }


def _detail(row: GenerationHit) -> str:
    return f"{row.status}: {row.error_code}" if row.error_code else row.status
