"""Actions of adjustments: give credits to an account or take them, with a reason, and notify its owner."""

from __future__ import annotations

from uuid import UUID

from vetrina.accounts.notifications import actions as notifications
from vetrina.accounts.operator import actions as accounts
from vetrina.core.database import paging
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.database.paging import Page
from vetrina.core.services import Services
from vetrina.core.web.request import Principal
from vetrina.wallet import labels
from vetrina.wallet.adjustments import queries
from vetrina.wallet.adjustments.model import (
    REASON_LENGTH,
    AccountErased,
    Adjustment,
    AdjustmentIdReused,
    AdjustmentQuantity,
    AdjustmentReasonLength,
    AdjustmentTooLarge,
    NewAdjustment,
)
from vetrina.web.i18n import say


async def adjust(tx: Tx, by: Principal | None, account_id: UUID, new: NewAdjustment) -> Adjustment:
    """Give or take credits, soonest-expiring first, once per id; write the audit log and enqueue the owner's notice.

    `by` is None for the command line. Raises NotFound (404), SuperuserRequired (403), AccountErased, AdjustmentTooLarge and
    AdjustmentIdReused (409), AdjustmentQuantity and AdjustmentReasonLength (422).
    """
    account = await accounts.require_manageable(tx, by, account_id)
    if account.state == "erased":
        raise AccountErased
    reason = new.reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise AdjustmentReasonLength
    if new.quantity == 0:
        raise AdjustmentQuantity
    adjustment_id = new.id or new_id()
    terms = {"asset": new.asset.value, "quantity": new.quantity, "reason": reason, "author": by.id if by else None}
    if not await tx.fetch_one(queries.ADJUST, account=account_id, id=adjustment_id, **terms):
        balance = await tx.fetch_one(queries.BALANCE, account=account_id, asset=new.asset.value)
        raise AdjustmentTooLarge(say("The account has only {amount}.", amount=labels.amount(new.asset, balance)))
    row = await tx.fetch_one(queries.ONE, account=account_id, id=adjustment_id)
    if (row.asset, row.quantity, row.reason) != (new.asset.value, new.quantity, reason):
        raise AdjustmentIdReused
    return row


async def history(tx: Tx, account_id: UUID, cursor: str | None, limit: int) -> Page[Adjustment]:
    """Return an account's adjustments, the newest first. Raises NotFound (404)."""
    await accounts.get_account(tx, account_id)
    return await paging.fetch(tx, queries.LIST, cursor, limit, account=account_id)


async def notify(tx: Tx, services: Services, account_id: UUID, adjustment_id: UUID) -> None:
    """Send the owner the reason of an adjustment; nothing once the account was erased."""
    row = await tx.fetch_optional(queries.ONE, account=account_id, id=adjustment_id)
    if row is None or row.reason is None:
        return
    await notifications.notify_account(
        tx,
        services,
        AccountId(account_id),
        notice="credits_added" if row.quantity > 0 else "credits_removed",
        language="en",
        reason=f"{labels.amount(row.asset, row.quantity)}: {row.reason}",
    )
