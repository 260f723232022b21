"""JSON routes of adjustments: credits that an operator gives or takes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get, post

from vetrina.accounts.roles.guards import operator
from vetrina.core.database.paging import Page
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import CONFIRMED
from vetrina.wallet.adjustments import actions
from vetrina.wallet.adjustments.model import Adjustment, NewAdjustment


@get("/operator/accounts/{account_id:uuid}/credits", guards=[operator], tags=["operator"])
async def history(request: Request, account_id: UUID, limit: Limit = 50, cursor: Cursor = None) -> Page[Adjustment]:
    """Return the credits that operators gave to an account or took from it, the newest first."""
    async with request.read() as tx:
        return await actions.history(tx, account_id, cursor, limit)


@post("/operator/accounts/{account_id:uuid}/credits", guards=[operator], tags=["operator"], opt=CONFIRMED)
async def adjust(request: Request, account_id: UUID, data: NewAdjustment) -> Adjustment:
    """Give credits to an account (a quantity above zero) or take them (below zero); its owner is notified of the reason.

    409 if it has fewer than are to be taken. Sent again with the same `id`, it changes nothing.
    """
    async with request.tx() as tx:
        return await actions.adjust(tx, request.account, account_id, data)


ROUTES: list[Any] = [history, adjust]
