"""JSON routes of plans, membership and quotas."""

from __future__ import annotations

from typing import Any

from litestar import get

from vetrina.core.database.paging import Page
from vetrina.core.web.request import Request, signed_in
from vetrina.wallet.plans import actions, queries
from vetrina.wallet.plans.model import Membership, Plan, Quota


@get("/plans", tags=["wallet"])
async def plan_list(request: Request) -> Page[Plan]:
    """Return the monthly plans with their prices in each currency."""
    async with request.read() as tx:
        return Page(await tx.fetch_all(queries.PLANS), None)


@get("/membership", guards=[signed_in], tags=["wallet"])
async def membership(request: Request) -> Membership:
    """Return the account's plan: its current period and the plan that follows."""
    async with request.read() as tx:
        return await actions.membership(tx, request.account.id)


@get("/quotas", guards=[signed_in], tags=["wallet"])
async def quotas(request: Request) -> Page[Quota]:
    """Return the plan's allowances this month: limit, used, remaining and reset date."""
    async with request.read() as tx:
        return Page(await actions.quotas(tx, request.account.id), None)


ROUTES: list[Any] = [plan_list, membership, quotas]
