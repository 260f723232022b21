"""JSON routes of an account's plan. An upgrade is bought: POST /api/v1/payments with its `plan_id`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import post

from vetrina.core.web.request import Request, signed_in
from vetrina.payments.plans import actions as memberships
from vetrina.wallet.plans.model import Membership


class Following(msgspec.Struct, forbid_unknown_fields=True):
    """The plan to switch to at the period's end."""

    plan_id: UUID


@post("/membership/cancellation", guards=[signed_in], status_code=200, tags=["wallet"])
async def cancel(request: Request) -> Membership:
    """Cancel at the period's end; until then nothing changes. 409 on the free plan."""
    return await memberships.cancel(request.services, request.account.id)


@post("/membership/resumption", guards=[signed_in], status_code=200, tags=["wallet"])
async def resume(request: Request) -> Membership:
    """Undo a cancellation or a scheduled downgrade."""
    return await memberships.resume(request.services, request.account.id)


@post("/membership/downgrade", guards=[signed_in], status_code=200, tags=["wallet"])
async def downgrade(request: Request, data: Following) -> Membership:
    """Schedule a smaller plan for the period's end. 409 if it is not smaller."""
    return await memberships.downgrade(request.services, request.account.id, data.plan_id)


ROUTES: list[Any] = [cancel, resume, downgrade]
