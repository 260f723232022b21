"""Jobs of exports and erasures."""

from __future__ import annotations

import re
from uuid import UUID

from vetrina.accounts.privacy import erasures, exports
from vetrina.core.database.ids import AccountId
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services


@job("accounts.export", queue="exports", attempts=4)
async def export(services: Services, *, account: str, export: str) -> None:
    """Write an export."""
    await exports.make(services, AccountId(UUID(account)), UUID(export))


@job("accounts.erase", queue="core", attempts=12)
async def erase(services: Services, *, account: str) -> None:
    """Erase an account."""
    await erasures.erase(services, AccountId(UUID(account)))


@job("accounts.look_after_privacy", queue="core", every="*/10 * * * *")
async def run_privacy_tasks(services: Services) -> None:
    """Resume unfinished erasures and delete expired exports."""
    async with services.db.tx() as tx:
        await erasures.resume(tx)
    await exports.delete_expired(services)


@job("accounts.delete_export", queue="core", attempts=1000)
async def delete_export(services: Services, *, key: str) -> None:
    """Delete the bytes of an export; for a week while the bucket is away. Raises ValueError for another key."""
    if not re.fullmatch(r"exports/[0-9a-f-]{36}/[0-9a-f-]{36}\.zip", key):
        raise ValueError(f"{key!r} is not the key of an export")
    await services.storage.delete([key])
