"""Figures of generations on the operators' front page."""

from __future__ import annotations

from datetime import datetime

from vetrina.core.database.connection import Tx
from vetrina.core.module import Figure
from vetrina.studio.operator import queries
from vetrina.web.i18n import say


async def figures(tx: Tx, since: datetime) -> list[Figure]:
    """Return pictures made, failures and tokens spent."""
    rows = await tx.fetch_all(queries.ENDED, since=since)

    def hours(key: str) -> dict[datetime, int]:
        return {row.hour: row.value for row in rows if row.key == key}

    return [
        Figure(
            "pictures",
            say("Pictures made"),
            say("Generations that were completed, by the time they ended."),
            hours=hours("completed"),
            chart=True,
        ),
        Figure("failures", say("Failures"), say("Generations that failed; their credits were returned."), hours=hours("failed")),
        Figure(
            "tokens_spent",
            say("Tokens spent"),
            say("The cost of completed generations that were paid with tokens."),
            hours=hours("tokens"),
        ),
    ]
