"""The job that deletes spent nonces."""

from __future__ import annotations

from vetrina.accounts.identities import queries
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services


@job("accounts.forget_spent_nonces", queue="core", every="7 * * * *")
async def delete_spent_nonces(services: Services) -> None:
    """Delete nonces of authorizations that have expired."""
    async with services.db.tx() as tx:
        await tx.execute(queries.DELETE_OLD_NONCES)
