"""The quotas of uploads: one image slot of the plan per upload and month, and a number of uploads per day.

Profile pictures, pictures of posts and the site's own samples take no slot, nor do source images while the account has tokens
that it bought or was welcomed with: who pays per image has paid for its sources (docs/decisions/0012-what-a-plan-covers.md).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.media import queries
from vetrina.media.model import Category, DailyUploadsUsedUp
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans.model import Quota

FREE = {Category.PROFILE, Category.POST}
SOURCES = {Category.PRODUCT, Category.MODEL}
"""Categories of source images."""


async def check(tx: Tx, account: AccountId, category: str, *, is_sample: bool = False) -> None:
    """Raise QuotaUsedUp (402) if no slot is left, before the image is read. A sample photograph needs none."""
    if not await tx.fetch_one(queries.HAS_DAILY_UPLOADS, account=account):
        raise await _used_up(tx)
    if is_sample or not await _counts(tx, account, category):
        return
    if not await tx.fetch_one(queries.HAS_PENDING_UPLOAD, account=account):
        await plans.check(tx, account, Asset.IMAGE_SLOT)


async def left(tx: Tx, account: AccountId) -> Quota | None:
    """Return the plan's uploads of this month; None while source images are free."""
    if await plans.has_bought_tokens(tx, account):
        return None
    return next((bucket for bucket in await plans.quotas(tx, account) if bucket.asset == Asset.IMAGE_SLOT), None)


async def take(tx: Tx, account: AccountId, category: str, file: UUID, *, is_sample: bool = False) -> None:
    """Spend a slot, once per file, in the transaction that writes the row. Raises QuotaUsedUp (402), DailyUploadsUsedUp (429)."""
    if await tx.fetch_optional(queries.TAKE_DAILY_UPLOAD, account=account) is None:
        raise await _used_up(tx)
    if is_sample or not await _counts(tx, account, category):
        return
    if not await tx.fetch_one(queries.FILL_PENDING_UPLOAD, account=account):
        await plans.spend(tx, account, Asset.IMAGE_SLOT, key=f"upload:{file}")


async def _used_up(tx: Tx) -> DailyUploadsUsedUp:
    """Return the refusal, with the limit and the moment when uploads are possible again."""
    limit = await tx.fetch_one(queries.DAILY_LIMIT)
    now = datetime.now(UTC)
    resets_at = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    refusal = DailyUploadsUsedUp(bucket="daily_uploads", limit=limit, resets_at=resets_at.isoformat())
    refusal.headers = {"Retry-After": str(int((resets_at - now).total_seconds()) + 1)}
    return refusal


async def _counts(tx: Tx, account: AccountId, category: str) -> bool:
    return category not in FREE and not (category in SOURCES and await plans.has_bought_tokens(tx, account))
