"""The job that deletes old failures."""

from __future__ import annotations

from vetrina.accounts.sessions import queries
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services


@job("accounts.delete_old_sign_in_failures", queue="core", every="11 * * * *")
async def delete_old_sign_in_failures(services: Services) -> None:
    """Delete failures that have been won back."""
    async with services.db.tx() as tx:
        await tx.execute(queries.DELETE_OLD_FAILURES)
