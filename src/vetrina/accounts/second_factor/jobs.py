"""The job that removes second factors after their waiting period."""

from __future__ import annotations

from vetrina.accounts.second_factor import actions as second_factor
from vetrina.core.jobs.queue import job
from vetrina.core.services import Services


@job("accounts.remove_second_factors", queue="core", every="3,18,33,48 * * * *")
async def remove_second_factors(services: Services) -> None:
    """Remove the second factors whose waiting period is over."""
    await second_factor.remove_due(services)
