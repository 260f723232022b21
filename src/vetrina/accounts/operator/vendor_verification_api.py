"""JSON routes with which operators verify businesses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, put

from vetrina.accounts.profiles import actions as profiles
from vetrina.accounts.profiles import queries as profile_queries
from vetrina.accounts.profiles.model import BusinessBadge, BusinessProfileMissing
from vetrina.accounts.roles.guards import operator
from vetrina.core.web.request import Request

PATH = "/operator/accounts/{account_id:uuid}/verification"


@get(PATH, guards=[operator], tags=["operator"])
async def get_verification(request: Request, account_id: UUID) -> BusinessBadge:
    """Return whether the business is verified. 404 when the account has no business profile."""
    async with request.read() as tx:
        if (badge := await tx.fetch_optional(profile_queries.BUSINESS, account=account_id)) is None:
            raise BusinessProfileMissing
        return badge


@put(PATH, guards=[operator], tags=["operator"])
async def verify(request: Request, account_id: UUID) -> BusinessBadge:
    """Verify the business under its present name; renaming it removes the verification."""
    async with request.tx() as tx:
        await profiles.verify_vendor(tx, account_id)
        return await tx.fetch_one(profile_queries.BUSINESS, account=account_id)


@delete(PATH, guards=[operator], tags=["operator"])
async def unverify(request: Request, account_id: UUID) -> None:
    """Remove the verification."""
    async with request.tx() as tx:
        await profiles.verify_vendor(tx, account_id, verified=False)


ROUTES: list[Any] = [get_verification, verify, unverify]
