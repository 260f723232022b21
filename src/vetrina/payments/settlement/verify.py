"""The books of payments: what was paid was granted once, what went back was taken back."""

from __future__ import annotations

from vetrina.core.database.connection import Tx
from vetrina.payments.settlement import verify_queries as queries_books
from vetrina.wallet.model import Fault


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Where payments and their credits do not agree. Empty when they do."""
    return await tx.all(queries_books.FAULTS, limit=limit)
