"""Background jobs of plans: periods that follow one another, reminders of unpaid months."""

from __future__ import annotations

from uuid import UUID

import structlog

from vetrina.core.errors import Unavailable
from vetrina.core.jobs.queue import job
from vetrina.core.messages.outbox import Letter, post
from vetrina.core.services import Services
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import queries as queries_plans
from vetrina.web import formatting as words

log = structlog.get_logger("vetrina.wallet")
ROUNDS = 200
"""Rounds of one run, each of some hundred wallets in a transaction of its own."""


@job("wallet.advance_periods", queue="core", every="* * * * *", aliases=("wallet.turn_periods",))
async def advance_periods(services: Services) -> None:
    """Advance memberships whose period is over: next month's allowances, grace period, or the free plan."""
    total = 0
    for _ in range(ROUNDS):
        try:
            async with services.db.tx() as tx:
                turned = await plans.advance_due(tx)
        except Unavailable:
            raise
        except Exception:
            log.exception("a batch of periods could not be advanced; trying each alone")
            await _one_by_one(services)
            return
        if not turned:
            break
        total += turned
    if total:
        log.info("periods advanced", count=total)


async def _one_by_one(services: Services) -> None:
    """Advance each due membership in its own transaction, so that a failing one blocks no other."""
    async with services.db.read() as tx:
        due = await tx.fetch_all(queries_plans.DUE, limit=ROUNDS * plans.BATCH)
    for account in due:
        try:
            async with services.db.tx() as tx:
                await tx.fetch_one(queries_plans.ADVANCE, account=account)
        except Unavailable:
            raise
        except Exception:
            log.exception("a period could not be advanced", account=str(account))


@job("wallet.notify_overdue", queue="core", aliases=("wallet.overdue",))
async def notify_overdue(services: Services, account: str) -> None:
    """Send a reminder that the next month of a plan is unpaid, with the end of the grace period."""
    async with services.db.tx() as tx:
        late = await tx.fetch_optional(queries_plans.OVERDUE, account=UUID(account))
        if late is None or late.until is None:
            return  # paid meanwhile
        plan_page = services.modules.link("plan")
        text = (
            f"The next month of your {late.plan} plan is not paid yet. What was left of the last one can be used until "
            f"{words.day(late.until)}; then the free plan follows."
            + (f" One more month: {services.settings.address}{plan_page}" if plan_page else "")
        )
        if late.email:
            await post(tx, services, Letter("mail", late.email, text, f"Your {late.plan} plan"))
        elif late.phone:
            await post(tx, services, Letter("sms", late.phone, text))


@job("wallet.notify_ending", queue="core", every="17 8 * * *")
async def notify_ending(services: Services) -> None:
    """Notify accounts whose cancelled plan ends within three days."""
    async with services.db.read() as tx:
        await tx.execute(queries_plans.NOTIFY_ENDING)
