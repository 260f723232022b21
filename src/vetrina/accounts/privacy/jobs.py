"""Background work of privacy: exports and erasures."""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts.privacy import erasures, exports
from vetrina.core.database.ids import AccountId
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services
from vetrina.core.storage.store import StorageFailure


@job("accounts.export", queue="exports", attempts=4)
async def export(services: Services, *, account: str, export: str) -> None:
    """Make an export."""
    await exports.make(services, AccountId(UUID(account)), UUID(export))


@job("accounts.erase", queue="core", attempts=12)
async def erase(services: Services, *, account: str) -> None:
    """Erase an account."""
    await erasures.erase(services, AccountId(UUID(account)))


@job("accounts.look_after_privacy", queue="core", every="*/10 * * * *")
async def look_after_privacy(services: Services) -> None:
    """Go on with erasures that were left behind; delete exports that have expired."""
    async with services.db.tx() as tx:
        await erasures.go_on(tx)
    try:
        await exports.drop_dead(services)
    except StorageFailure:
        return  # ten minutes on it will do
