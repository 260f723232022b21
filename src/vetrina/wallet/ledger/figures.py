"""The figure of tokens owed on the operators' front page."""

from __future__ import annotations

from datetime import datetime

from vetrina.core.database.connection import Tx
from vetrina.core.module import Figure
from vetrina.wallet import queries
from vetrina.web.i18n import say


async def figures(tx: Tx, since: datetime) -> list[Figure]:
    """Return the tokens that accounts hold now; `since` does not matter to it."""
    owed = await tx.fetch_one(queries.OWED)
    about = say("Tokens that accounts can still spend, reserved ones too: what the site owes.")
    return [Figure("tokens_owed", say("Tokens owed"), about, now=owed)]
