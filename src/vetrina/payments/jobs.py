"""Background work of payments: what nobody paid expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from vetrina.core.ids import AccountId
from vetrina.core.jobs import job
from vetrina.core.services import Services
from vetrina.payments import actions, queries
from vetrina.payments.model import Due, GatewayFailed

log = structlog.get_logger("vetrina.payments")

BATCH = 200
PATIENCE = timedelta(hours=24)
"""How long past its time a payment waits for a gateway that does not answer. Money that comes later still counts."""


@job("payments.expire_due", queue="payments", every="* * * * *")
async def expire_due(services: Services) -> None:
    """Payments whose time has run out end, after their gateway was asked once more."""
    async with services.db.read() as tx:
        due = await tx.all(queries.DUE, limit=BATCH)
    for each in due:
        await _end(services, each)


async def _end(services: Services, due: Due) -> None:
    async with services.db.read() as tx:
        payment = await tx.one(queries.ONE, account=AccountId(due.account_id), id=due.id)
    if due.ref is not None:
        try:
            await actions.ask(services, payment, due.ref)
        except GatewayFailed as failed:
            log.warning("a gateway does not answer", gateway=due.gateway, payment=str(due.id), why=failed.message)
            if datetime.now(UTC) - due.expires_at < PATIENCE:
                return
    async with services.db.tx() as tx:
        await actions.expire(tx, payment)
