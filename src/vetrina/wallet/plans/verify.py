"""Verification of paid time: what was paid for is what was given, waits, was credited or went back."""

from __future__ import annotations

from vetrina.core.database.connection import Tx
from vetrina.wallet.model import Fault
from vetrina.wallet.plans import verify_queries as queries


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Return the periods whose paid time does not add up; empty if there are none."""
    return await tx.fetch_all(queries.FAULTS, limit=limit)
