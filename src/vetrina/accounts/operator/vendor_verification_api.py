"""The operator's calls on the badge of a business."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, put

from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles import queries as queries_profiles
from vetrina.accounts.profiles.model import BusinessBadge, BusinessProfileMissing
from vetrina.accounts.roles.guards import operator
from vetrina.core.web.request import Request

PATH = "/operator/accounts/{account_id:uuid}/verification"


@get(PATH, guards=[operator], tags=["operator"])
async def badge(request: Request, account_id: UUID) -> BusinessBadge:
    """Whether the business carries the badge. 404 when the account has no business face."""
    async with request.read() as tx:
        if (found := await tx.maybe(queries_profiles.BUSINESS, account=account_id)) is None:
            raise BusinessProfileMissing
        return found


@put(PATH, guards=[operator], tags=["operator"])
async def give(request: Request, account_id: UUID) -> BusinessBadge:
    """Give the business the badge, under the name that it has now; another name takes it away."""
    async with request.tx() as tx:
        await profiles.verify_vendor(tx, account_id)
        return await tx.one(queries_profiles.BUSINESS, account=account_id)


@delete(PATH, guards=[operator], tags=["operator"])
async def take(request: Request, account_id: UUID) -> None:
    """Take the badge away."""
    async with request.tx() as tx:
        await profiles.verify_vendor(tx, account_id, verified=False)


ROUTES: list[Any] = [badge, give, take]
