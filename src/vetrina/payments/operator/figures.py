"""Figures of payments on the operators' front page: money by gateway and currency, tokens sold."""

from __future__ import annotations

from datetime import datetime

from vetrina.core.database.connection import Tx
from vetrina.core.module import Figure
from vetrina.payments.operator import queries
from vetrina.web.i18n import say


async def figures(tx: Tx, since: datetime) -> list[Figure]:
    """Return tokens sold, and for each gateway and currency what was paid and what went back."""
    rows = await tx.fetch_all(queries.MONEY, since=since)
    pairs = sorted({(row.gateway, row.currency) for row in rows if row.key != "tokens"})
    tokens = {row.hour: row.value for row in rows if row.key == "tokens"}
    result = [Figure("tokens_sold", say("Tokens sold"), say("Tokens of packs, by the time they were paid."), hours=tokens)]
    for gateway, currency in pairs:
        for key, title, about in (
            ("paid", say("Paid"), say("Payments by the time the money came in, before refunds and disputes.")),
            ("returned", say("Returned"), say("Refunds and lost disputes, by the time they were recorded.")),
        ):
            hours = {row.hour: row.value for row in rows if (row.key, row.gateway, row.currency) == (key, gateway, currency)}
            if hours:
                href = f"/operator/payments?gateway={gateway}"
                result.append(
                    Figure(f"{key}_{gateway}_{currency}", f"{title}: {gateway}, {currency}", about, href, currency, hours)
                )
    return result
