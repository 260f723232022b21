"""Actions of an account on its plan. A plan that Stripe renews is changed at Stripe first, between transactions."""

from __future__ import annotations

from uuid import UUID

from vetrina.clients.stripe.client import StripeAway, StripeRefused
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.services import Services
from vetrina.payments.model import GatewayFailed
from vetrina.payments.plans import queries as queries_plans
from vetrina.payments.plans import stripe_subscriptions as subscriptions
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import queries as wallet
from vetrina.wallet.plans.model import Membership
from vetrina.web.money import BadAmount, to_stripe


async def cancel(services: Services, account: AccountId) -> Membership:
    """Cancel at the period's end; the free plan follows. Raises NoPaidPlan (409), GatewayFailed (503)."""
    await _ends(services, account, ends=True)
    async with services.db.tx() as tx:
        return await plans.cancel(tx, account)


async def resume(services: Services, account: AccountId) -> Membership:
    """Undo a cancellation or a scheduled downgrade. Raises GatewayFailed (503)."""
    ref = await _renewed(services, account)
    async with services.db.read() as tx:
        before = await plans.membership(tx, account)
    if ref is not None and before.next_plan is not None and not before.cancel_at_period_end:
        await _costs(services, account, ref, before.plan)
    else:
        await _ends(services, account, ends=False)
    async with services.db.tx() as tx:
        return await plans.resume(tx, account)


async def downgrade(services: Services, account: AccountId, plan: UUID) -> Membership:
    """Schedule a smaller plan for the period's end.

    Raises UnknownPlan, PlanNotForYou (422), NoPaidPlan, NotADowngrade (409), GatewayFailed (503).
    """
    async with services.db.tx() as tx:
        before = await plans.membership(tx, account)
        after = await plans.downgrade(tx, account, plan)
    ref = await _renewed(services, account)
    if ref is None:
        return after
    try:
        if after.cancel_at_period_end or after.next_plan is None:
            await _ends(services, account, ends=after.cancel_at_period_end)
        else:
            await _costs(services, account, ref, after.next_plan)
    except GatewayFailed:
        async with services.db.tx() as tx:
            await tx.execute(wallet.RESTORE, account=account, ends=before.cancel_at_period_end, plan=before.next_plan)
        raise
    return after


async def _renewed(services: Services, account: AccountId) -> str | None:
    """Return the id of the Stripe subscription that renews the plan."""
    async with services.db.read() as tx:
        return (await tx.fetch_one(queries_plans.RENEWED, account=account)).subscription_ref


async def _ends(services: Services, account: AccountId, *, ends: bool) -> None:
    ref = await _renewed(services, account)
    if ref is None:
        return
    try:
        await subscriptions.client(services).end_later(ref, ends=ends, key=f"ends {ref} {ends} {new_id()}")
    except (StripeAway, StripeRefused) as failed:
        raise GatewayFailed("Stripe does not answer just now. Nothing was changed.") from failed


async def _costs(services: Services, account: AccountId, ref: str, plan: str) -> None:
    """Set the price that Stripe charges from the next month on."""
    try:
        stripe = subscriptions.client(services)
        now = await stripe.subscription(ref)
        price = now.items.data[0].price if now.items.data else None
        currency = (price.currency or "usd").upper() if price else "USD"
        async with services.db.read() as tx:
            sold = await tx.fetch_one(wallet.BY_NAME, name=plan)
        if currency not in sold.prices:
            raise GatewayFailed(f"The {sold.display_name} plan has no price in {currency}. Nothing was changed.")
        await stripe.cost(
            ref,
            title=f"{sold.display_name} plan, one month",
            amount=to_stripe(sold.prices[currency], currency),
            currency=currency,
            marks={subscriptions.PLAN: str(sold.id)},
            key=f"cost {ref} {sold.id} {new_id()}",
        )
    except BadAmount as error:
        raise GatewayFailed(f"{error} Nothing was changed.") from error
    except (StripeAway, StripeRefused) as failed:
        raise GatewayFailed("Stripe does not answer just now. Nothing was changed.") from failed
