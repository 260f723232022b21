"""JSON routes of packs: what is for sale, and the operator's editor."""

from __future__ import annotations

from typing import Any

from litestar import get, patch, post

from vetrina.accounts.roles.guards import operator
from vetrina.core.database.paging import Page
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.wallet import queries
from vetrina.wallet.model import Pack, SoldPack
from vetrina.wallet.packs import actions as packs
from vetrina.wallet.packs.actions import NewPack, PackChange


@get("/packs", tags=["wallet"])
async def for_sale(request: Request) -> Page[Pack]:
    """Return the packs for sale, of assets that a module of this site spends."""
    async with request.read() as tx:
        return Page(await tx.fetch_all(queries.PACKS, assets=sorted(request.services.modules.spends)), None)


@get("/operator/packs", guards=[operator], tags=["operator"])
async def list_all(request: Request) -> Page[SoldPack]:
    """Return every pack, including those not for sale."""
    async with request.read() as tx:
        return Page(await packs.list_all(tx), None)


@post("/operator/packs", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def add(request: Request, data: NewPack) -> SoldPack:
    """Add a pack. 409 if the name is taken."""
    async with request.tx() as tx:
        return await packs.add(tx, data)


@patch("/operator/packs/{name:str}", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def change(request: Request, name: str, data: PackChange) -> SoldPack:
    """Change a pack. Open checkouts keep their price."""
    async with request.tx() as tx:
        return await packs.change(tx, name, data)


ROUTES: list[Any] = [for_sale, list_all, add, change]
