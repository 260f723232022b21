"""Plan actions: offers, cancellation, downgrade, quotas, period changes."""

from __future__ import annotations

from uuid import UUID

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.wallet import labels
from vetrina.wallet import queries as wallet
from vetrina.wallet.model import Asset, InsufficientCredits, WalletFrozen
from vetrina.wallet.plans import queries
from vetrina.wallet.plans.model import (
    Membership,
    NoPaidPlan,
    NotADowngrade,
    NotAnUpgrade,
    Offer,
    PaidAhead,
    PlanIsFree,
    PlanNotForYou,
    Quota,
    QuotaUsedUp,
    UnknownPlan,
)
from vetrina.web import formatting as words

BATCH = 200
"""Memberships advanced in one transaction."""


async def membership(tx: Tx, account: AccountId) -> Membership:
    """Return the account's plan and period. Raises NotFound (404)."""
    return await tx.fetch_one(queries.MEMBERSHIP, account=account)


async def quotas(tx: Tx, account: AccountId) -> list[Quota]:
    """Return the plan's allowances this month and what remains of them."""
    return await tx.fetch_all(queries.QUOTAS, account=account)


async def offer(tx: Tx, account: AccountId, plan: UUID, currency: str) -> Offer:
    """Return the price of a month of the plan for this account today, in `currency`: a renewal, or an upgrade from today.

    Raises UnknownPlan, PlanNotForYou, PlanIsFree (422), NotAnUpgrade, PaidAhead (409).
    """
    row = await tx.fetch_optional(queries.OFFER, account=account, plan=plan, currency=currency)
    if row is None:
        raise UnknownPlan
    if row.kind != row.account_kind:
        raise PlanNotForYou
    if row.price is None:
        raise PlanIsFree if row.name in {"free", "vendor_free"} else UnknownPlan(f"This plan has no price in {currency}.")
    if row.renewed_by and row.renewal:
        raise PaidAhead("Your plan renews by itself.")
    if row.renewal and row.paid_ahead:
        raise PaidAhead
    if row.is_downgrade and not row.renewal:
        raise NotAnUpgrade
    return row


async def cancel(tx: Tx, account: AccountId) -> Membership:
    """Cancel at the period's end; the free plan follows. Raises NoPaidPlan (409)."""
    if not await tx.execute(queries.CANCEL_AT_PERIOD_END, account=account):
        raise NoPaidPlan
    await usage.record(tx, account, "plan_cancelled", {})
    return await membership(tx, account)


async def resume(tx: Tx, account: AccountId) -> Membership:
    """Undo a cancellation or a scheduled downgrade."""
    await tx.execute(queries.RESUME, account=account)
    await usage.record(tx, account, "plan_resumed", {})
    return await membership(tx, account)


async def downgrade(tx: Tx, account: AccountId, plan: UUID) -> Membership:
    """Schedule a smaller plan for the period's end; the free plan is a cancellation.

    Raises UnknownPlan, PlanNotForYou (422), NoPaidPlan, NotADowngrade (409).
    """
    chosen = next((row for row in await tx.fetch_all(queries.OFFERED, account=account) if row.id == plan), None)
    if chosen is None:
        raise UnknownPlan
    if not chosen.prices:
        return await cancel(tx, account)
    quoted = await tx.fetch_one(queries.OFFER, account=account, plan=plan, currency=chosen.currency)
    if quoted.kind != quoted.account_kind:
        raise PlanNotForYou
    if not quoted.paid:
        raise NoPaidPlan
    if quoted.current:
        return await resume(tx, account)
    if not quoted.is_downgrade:
        raise NotADowngrade
    await tx.execute(queries.SET_NEXT_PLAN, account=account, plan=plan)
    await usage.record(tx, account, "plan_follows", {"plan": quoted.name})
    return await membership(tx, account)


async def advance_due(tx: Tx) -> int:
    """Start the next period of up to 200 memberships whose period is over; return their number.

    Memberships that another process is advancing are skipped.
    """
    return await tx.fetch_one(queries.ADVANCE_DUE, limit=BATCH)


async def spend(tx: Tx, account: AccountId, asset: Asset, *, key: str) -> None:
    """Spend one credit, once for each key.

    Raises QuotaUsedUp (402) with the asset, what remains and the reset date; WalletFrozen (423).
    """
    if not await tx.fetch_one(queries.SPEND, account=account, asset=asset.value, quantity=1, key=key):
        if await tx.fetch_optional(wallet.FROZEN, account=account, asset=asset.value):
            raise WalletFrozen
        raise await denial(tx, account, asset, 1)


async def check(tx: Tx, account: AccountId, asset: Asset) -> None:
    """Refuse early, before work that would be wasted; `spend` decides. Raises QuotaUsedUp (402)."""
    bucket = next((quota for quota in await quotas(tx, account) if quota.asset == asset), None)
    if bucket is not None and bucket.remaining < 1:
        raise used_up(bucket, 1)


async def has_bought_tokens(tx: Tx, account: AccountId) -> bool:
    """Return whether bought tokens or tokens of the welcome gift remain."""
    return await tx.fetch_one(queries.HAS_BOUGHT_TOKENS, account=account)


async def denial(tx: Tx, account: AccountId, asset: Asset, cost: int) -> InsufficientCredits:
    """Return the error to raise when an asset's allowance does not cover `cost`."""
    bucket = next((quota for quota in await quotas(tx, account) if quota.asset == asset), None)
    return used_up(bucket, cost) if bucket else InsufficientCredits(asset=asset.value, cost=cost)


def used_up(bucket: Quota, cost: int) -> QuotaUsedUp:
    """Return the error for a used-up quota, with its details."""
    what = labels.ASSETS[bucket.asset][0].lower()
    if bucket.limit == 0:
        text = f"The {bucket.plan} plan includes no {what}. A larger plan does."
    else:
        used = f"{words.number(bucket.used)} of {words.number(bucket.limit)} {what} used this month, {bucket.remaining} left."
        text = f"{bucket.plan} plan: {used} They reset on {words.moment(bucket.resets_at)}; a larger plan has more."
    return QuotaUsedUp(
        text,
        bucket=bucket.asset,
        asset=bucket.asset,
        cost=cost,
        balance=bucket.remaining,
        remaining=bucket.remaining,
        limit=bucket.limit,
        plan=bucket.plan,
        resets_at=bucket.resets_at,
    )
