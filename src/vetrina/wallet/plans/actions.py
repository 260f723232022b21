"""The rules of plans and quotas: what a plan costs, what follows it, what is left of a month, and a denial that says so."""

from __future__ import annotations

from uuid import UUID

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.wallet import labels
from vetrina.wallet import queries as wallet
from vetrina.wallet.model import (
    Asset,
    InsufficientCredits,
    Membership,
    NoPaidPlan,
    NotBought,
    Offer,
    PaidAhead,
    PlanIsNotSmaller,
    PlanIsSmaller,
    PlanNotForYou,
    Quota,
    QuotaUsedUp,
    UnknownPlan,
    WalletFrozen,
)
from vetrina.wallet.plans import queries
from vetrina.web import formatting as words

BATCH = 200
"""Memberships that one transaction turns."""


async def membership(tx: Tx, account: AccountId) -> Membership:
    """The account's plan and period. Raises NotFound (404)."""
    return await tx.one(queries.MEMBERSHIP, account=account)


async def quotas(tx: Tx, account: AccountId) -> list[Quota]:
    """What the plan allows this month, and what is left."""
    return await tx.all(queries.QUOTAS, account=account)


async def offer(tx: Tx, account: AccountId, plan: UUID, currency: str) -> Offer:
    """What a month of the plan costs this account now, in `currency`: one more of its own, or a larger one from today.

    Raises UnknownPlan, PlanNotForYou, NotBought (422), PlanIsSmaller, PaidAhead (409).
    """
    found = await tx.maybe(queries.OFFER, account=account, plan=plan, currency=currency)
    if found is None:
        raise UnknownPlan
    if found.kind != found.account_kind:
        raise PlanNotForYou
    if found.price is None:
        raise NotBought if found.name in {"free", "vendor_free"} else UnknownPlan(f"This plan has no price in {currency}.")
    if found.renewed_by and found.renewal:
        raise PaidAhead("Your plan renews by itself.")
    if found.renewal and found.ahead:
        raise PaidAhead
    if found.smaller and not found.renewal:
        raise PlanIsSmaller
    return found


async def cancel(tx: Tx, account: AccountId) -> Membership:
    """The free plan follows at the period's end. Raises NoPaidPlan (409)."""
    if not await tx.do(queries.END_LATER, account=account):
        raise NoPaidPlan
    await usage.record(tx, account, "plan_cancelled", {})
    return await membership(tx, account)


async def resume(tx: Tx, account: AccountId) -> Membership:
    """The plan goes on after all: nothing else follows it."""
    await tx.do(queries.GO_ON, account=account)
    await usage.record(tx, account, "plan_resumed", {})
    return await membership(tx, account)


async def downgrade(tx: Tx, account: AccountId, plan: UUID) -> Membership:
    """A smaller plan follows at the period's end; the free one is a cancellation.

    Raises UnknownPlan, PlanNotForYou (422), NoPaidPlan, PlanIsNotSmaller (409).
    """
    chosen = next((each for each in await tx.all(queries.PLANS) if each.id == plan), None)
    if chosen is None:
        raise UnknownPlan
    if not chosen.prices:
        return await cancel(tx, account)
    found = await tx.one(queries.OFFER, account=account, plan=plan, currency=chosen.currency)
    if found.kind != found.account_kind:
        raise PlanNotForYou
    if not found.paid:
        raise NoPaidPlan
    if found.current:
        return await resume(tx, account)
    if not found.smaller:
        raise PlanIsNotSmaller
    await tx.do(queries.FOLLOW_WITH, account=account, plan=plan)
    await usage.record(tx, account, "plan_follows", {"plan": found.name})
    return await membership(tx, account)


async def turn_due(tx: Tx) -> int:
    """Let up to 200 periods that are over be followed; how many those were. One that another process turns is skipped."""
    return await tx.one(queries.TURN_DUE, limit=BATCH)


async def use(tx: Tx, account: AccountId, asset: Asset, *, key: str) -> None:
    """Spend one, once for each key. Raises QuotaUsedUp (402), which names the bucket, what is left and when it comes anew;
    WalletFrozen (409)."""
    if not await tx.one(queries.USE, account=account, asset=asset.value, quantity=1, key=key):
        if await tx.maybe(wallet.FROZEN, account=account, asset=asset.value):
            raise WalletFrozen
        raise await denial(tx, account, asset, 1)


async def check(tx: Tx, account: AccountId, asset: Asset) -> None:
    """Say no early, before work is done in vain; `use` decides. Raises QuotaUsedUp (402)."""
    bucket = next((each for each in await quotas(tx, account) if each.asset == asset), None)
    if bucket is not None and bucket.left < 1:
        raise used_up(bucket, 1)


async def has_bought_tokens(tx: Tx, account: AccountId) -> bool:
    """Whether there are tokens left that were paid for."""
    return await tx.one(queries.HAS_BOUGHT_TOKENS, account=account)


async def denial(tx: Tx, account: AccountId, asset: Asset, cost: int) -> InsufficientCredits:
    """Why there is not enough of an asset that a plan allows: to be raised."""
    bucket = next((each for each in await quotas(tx, account) if each.asset == asset), None)
    return used_up(bucket, cost) if bucket else InsufficientCredits(asset=asset.value, cost=cost)


def used_up(bucket: Quota, cost: int) -> QuotaUsedUp:
    """The denial of a bucket in words, with what programs need."""
    what = labels.ASSETS[bucket.asset][0].lower()
    if bucket.limit == 0:
        text = f"The {bucket.plan} plan includes no {what}. A larger plan does."
    else:
        used = f"{words.number(bucket.used)} of {words.number(bucket.limit)} {what} of this month are used, {bucket.left} left."
        text = f"{bucket.plan} plan: {used} They come anew on {words.moment(bucket.resets_at)}; a larger plan has more."
    return QuotaUsedUp(
        text, bucket=bucket.asset, asset=bucket.asset, cost=cost, balance=bucket.left, left=bucket.left, limit=bucket.limit,
        plan=bucket.plan, resets_at=bucket.resets_at,
    )  # fmt: skip
