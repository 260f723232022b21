"""What the operators' search and an account's page show of payments and Stripe events."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.module import SearchGroup, SearchHit
from vetrina.payments.operator import queries
from vetrina.web import formatting as words
from vetrina.web.i18n import say

SHOWN = 8
GATEWAYS = ["stripe", "zarinpal", "sandbox"]


async def search_payments(tx: Tx, text: str) -> SearchGroup:
    """Return payments by id, reference, tracking id, receipt number (R-2026-000123), or the gateway's id of a checkout."""
    number = re.fullmatch(r"R-[0-9]{4}-([0-9]{1,12})", text, re.ASCII | re.IGNORECASE)
    receipt = int(number[1]) if number else None
    rows = await tx.fetch_all(queries.BY_REFERENCE, id=read_id(text), text=text, receipt=receipt, gateways=GATEWAYS)
    hits = [
        SearchHit(
            f"{words.money(row.amount, row.currency)}, {row.description}",
            f"/operator/payments/{row.account_id}/{row.id}",
            " · ".join(item for item in (row.buyer, row.gateway, row.status) if item),
            True,
        )
        for row in rows
    ]
    return SearchGroup("payments", say("Payments"), hits)


async def search_events(tx: Tx, text: str) -> SearchGroup:
    """Return the Stripe event with this id."""
    rows = await tx.fetch_all(queries.EVENT, text=text)
    hits = [SearchHit(row.type, f"/operator/webhooks/{row.id}", row.object_id or row.id, True) for row in rows]
    return SearchGroup("events", say("Stripe events"), hits)


async def section(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Return an account's latest payments for its page."""
    return {"payments": await tx.fetch_all(queries.OF_ACCOUNT, account=account_id, limit=SHOWN)}
