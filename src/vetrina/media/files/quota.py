"""What an upload takes of the month's allowance: one image slot of the plan.

A face takes none. Neither does what a picture is made from while its owner has tokens that were bought: whoever pays by the
picture has paid for what goes into it (docs/decisions/0012-what-a-plan-covers.md).
"""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.media.model import Category
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import actions as plans

FACES = {Category.PROFILE}
MATERIAL = {Category.PRODUCT, Category.MODEL}
"""What pictures are made from."""


async def check(tx: Tx, account: AccountId, category: str) -> None:
    """Before the picture is read: raises QuotaUsedUp (402) when there is no slot for it."""
    if await _counts(tx, account, category):
        await plans.check(tx, account, Asset.IMAGE_SLOT)


async def take(tx: Tx, account: AccountId, category: str, file: UUID) -> None:
    """With the row: take the slot, once for each file. Raises QuotaUsedUp (402)."""
    if await _counts(tx, account, category):
        await plans.spend(tx, account, Asset.IMAGE_SLOT, key=f"upload:{file}")


async def _counts(tx: Tx, account: AccountId, category: str) -> bool:
    return category not in FACES and not (category in MATERIAL and await plans.has_bought_tokens(tx, account))
