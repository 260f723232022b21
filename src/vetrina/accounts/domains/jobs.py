"""The job that checks domains."""

from __future__ import annotations

from vetrina.accounts.domains import actions as domains
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services


@job("accounts.check_domains", queue="core", every="*/5 * * * *")
async def check_domains(services: Services) -> None:
    """Look up the TXT records that are due."""
    await domains.check_due(services)
