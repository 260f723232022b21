"""What an account does with its plan. A plan that a gateway renews by itself is changed there too, between transactions."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.ids import AccountId
from vetrina.core.services import Services
from vetrina.wallet import plans
from vetrina.wallet.model import Membership


async def cancel(services: Services, account: AccountId) -> Membership:
    """The free plan follows at the period's end. Raises NoPaidPlan (409)."""
    async with services.db.tx() as tx:
        return await plans.cancel(tx, account)


async def resume(services: Services, account: AccountId) -> Membership:
    """The plan goes on after all."""
    async with services.db.tx() as tx:
        return await plans.resume(tx, account)


async def downgrade(services: Services, account: AccountId, plan: UUID) -> Membership:
    """A smaller plan follows at the period's end. Raises UnknownPlan (422), NoPaidPlan, PlanIsNotSmaller (409)."""
    async with services.db.tx() as tx:
        return await plans.downgrade(tx, account, plan)
