"""Background jobs of the ledger."""

from __future__ import annotations

import structlog

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.wallet.ledger import actions

log = structlog.get_logger("vetrina.wallet")
ROUNDS = 200
"""Rounds of one run, each of some hundred wallets in a transaction of its own."""


@job("wallet.expire_due", queue="core", every="*/10 * * * *")
async def expire_due(services: Services) -> None:
    """Expire grants that are past their date, also of accounts that never return."""
    total = 0
    for _ in range(ROUNDS):
        async with services.db.tx() as tx:
            expired = await actions.expire_due(tx)
        if not expired:
            break
        total += expired
    if total:
        log.info("credits expired", quantity=total)
