"""JSON routes of what an account does with its plan. A larger one is bought: POST /api/v1/payments with its `plan_id`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import post

from vetrina.core.web.request import Request, signed_in
from vetrina.payments.plans import actions as memberships
from vetrina.wallet.model import Membership


class Following(msgspec.Struct, forbid_unknown_fields=True):
    """The plan that shall follow at the period's end."""

    plan_id: UUID


@post("/membership/cancellation", guards=[signed_in], status_code=200, tags=["wallet"])
async def cancel(request: Request) -> Membership:
    """The free plan follows at the period's end; until then everything stays as it is. 409 on the free plan."""
    return await memberships.cancel(request.services, request.account.id)


@post("/membership/resumption", guards=[signed_in], status_code=200, tags=["wallet"])
async def resume(request: Request) -> Membership:
    """The plan goes on after all: nothing else follows it."""
    return await memberships.resume(request.services, request.account.id)


@post("/membership/downgrade", guards=[signed_in], status_code=200, tags=["wallet"])
async def downgrade(request: Request, data: Following) -> Membership:
    """A smaller plan follows at the period's end. 409 for one that is not smaller."""
    return await memberships.downgrade(request.services, request.account.id, data.plan_id)


ROUTES: list[Any] = [cancel, resume, downgrade]
