"""Verification of payments: one grant per paid payment, one revocation per refund."""

from __future__ import annotations

from vetrina.core.database.connection import Tx
from vetrina.payments.settlement import verify_queries as queries_books
from vetrina.wallet.model import Fault


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Return the inconsistencies between payments and credits; empty if there are none."""
    return await tx.fetch_all(queries_books.FAULTS, limit=limit)
