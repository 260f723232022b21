"""What an account's page shows operators of Stripe: its linked customers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.stripe_mirror.operator import queries


async def section(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """Return an account's customers for its page."""
    return {"customers": await tx.fetch_all(queries.OF_ACCOUNT, account=account_id)}
