"""The job that notifies the owner of an adjustment."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.wallet.adjustments import actions


@job("wallet.notify_adjustment", queue="core", attempts=6)
async def notify_adjustment(services: Services, account: str, adjustment: str) -> None:
    """Notify the owner that an operator gave or took credits."""
    async with services.db.tx() as tx:
        await actions.notify(tx, services, UUID(account), UUID(adjustment))
