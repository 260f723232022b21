"""JSON routes of the wallet."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get

from vetrina.core.web import paging
from vetrina.core.web.paging import Cursor, Limit, Page
from vetrina.core.web.request import Request, signed_in
from vetrina.wallet import queries
from vetrina.wallet.ledger import actions
from vetrina.wallet.model import Asset, Balance, Entry, Kind, Membership, Pack, Plan, Quota
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import queries as queries_plans


class Wallet(msgspec.Struct):
    """What an account has, by asset."""

    balances: list[Balance]


@get("/wallet", guards=[signed_in], tags=["wallet"])
async def wallet(request: Request) -> Wallet:
    """The account's balances."""
    async with request.read() as tx:
        return Wallet(await tx.all(queries.BALANCES, account=request.account.id))


@get("/wallet/entries", guards=[signed_in], tags=["wallet"])
async def entries(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
    asset: Asset | None = None,
    kind: Kind | None = None,
) -> Page[Entry]:
    """The ledger, the newest first, with the running balance of each asset."""
    async with request.read() as tx:
        rows = await actions.entries(tx, request.account.id, asset=asset, kind=kind, before=paging.after(cursor), limit=limit + 1)
    return paging.page(rows, limit, lambda row: row.id, lambda row: row)


@get("/packs", tags=["wallet"])
async def packs(request: Request) -> Page[Pack]:
    """What can be bought."""
    async with request.read() as tx:
        return Page(await tx.all(queries.PACKS), None)


@get("/plans", tags=["wallet"])
async def plan_list(request: Request) -> Page[Plan]:
    """The monthly plans, with their prices in each currency."""
    async with request.read() as tx:
        return Page(await tx.all(queries_plans.PLANS), None)


@get("/membership", guards=[signed_in], tags=["wallet"])
async def membership(request: Request) -> Membership:
    """The account's plan: the period that it stands in, and what follows it."""
    async with request.read() as tx:
        return await plans.membership(tx, request.account.id)


@get("/quotas", guards=[signed_in], tags=["wallet"])
async def quotas(request: Request) -> Page[Quota]:
    """What the plan allows this month, what of it is used, what is left and when it comes anew."""
    async with request.read() as tx:
        return Page(await plans.quotas(tx, request.account.id), None)


ROUTES: list[Any] = [wallet, entries, packs, plan_list, membership, quotas]
