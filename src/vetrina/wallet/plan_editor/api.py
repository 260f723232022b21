"""JSON routes of the operator's plan editor."""

from __future__ import annotations

from typing import Any

from litestar import delete, get, patch, post

from vetrina.accounts.roles.guards import operator
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.wallet.plan_editor import actions
from vetrina.wallet.plan_editor.model import EditedPlan, NewPlan, PlanChange, PlanMember


@get("/operator/plans", guards=[operator], tags=["operator"])
async def list_all(request: Request) -> Page[EditedPlan]:
    """Return every plan, closed ones too, with the number of its members."""
    async with request.read() as tx:
        return Page(await actions.list_all(tx), None)


@post("/operator/plans", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def add(request: Request, data: NewPlan) -> EditedPlan:
    """Add a plan. 409 if the name is taken."""
    async with request.tx() as tx:
        return await actions.add(tx, data)


@patch("/operator/plans/{name:str}", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def change(request: Request, name: str, data: PlanChange) -> EditedPlan:
    """Change a plan. Running and paid periods stay; months bought from now on cost the new price.

    A subscription at Stripe keeps the price that it was made with until its owner changes the plan.
    """
    async with request.tx() as tx:
        return await actions.change(tx, name, data)


@delete("/operator/plans/{name:str}", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def remove(request: Request, name: str) -> None:
    """Delete a plan that no account is on, or was. 409 otherwise: close it with `is_active` false instead."""
    async with request.tx() as tx:
        await actions.delete(tx, name)


@get("/operator/plans/{name:str}/members", guards=[operator], tags=["operator"])
async def members(request: Request, name: str, limit: Limit = 50, cursor: Cursor = None) -> Page[PlanMember]:
    """Return the accounts on a plan, the newest first."""
    async with request.read() as tx:
        return await actions.members(tx, name, cursor, limit)


ROUTES: list[Any] = [list_all, add, change, remove, members]
