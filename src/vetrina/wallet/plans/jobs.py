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


@job("wallet.turn_periods", queue="core", every="* * * * *")
async def turn_periods(services: Services) -> None:
    """Each minute, what comes after the periods that are over: the next month's allowances, days of grace, the free plan."""
    total = 0
    for _ in range(ROUNDS):
        try:
            async with services.db.tx() as tx:
                turned = await plans.turn_due(tx)
        except Unavailable:
            raise
        except Exception:
            log.exception("a period does not turn; each is tried alone")
            await _one_by_one(services)
            return
        if not turned:
            break
        total += turned
    if total:
        log.info("periods turned", count=total)


async def _one_by_one(services: Services) -> None:
    """So that one that cannot be turned keeps no other waiting."""
    async with services.db.read() as tx:
        due = await tx.all(queries_plans.DUE, limit=ROUNDS * plans.BATCH)
    for account in due:
        try:
            async with services.db.tx() as tx:
                await tx.one(queries_plans.TURN, account=account)
        except Unavailable:
            raise
        except Exception:
            log.exception("a period does not turn", account=str(account))


@job("wallet.overdue", queue="core")
async def overdue(services: Services, account: str) -> None:
    """Tell somebody that the next month of their plan is not paid, and until when it can be."""
    async with services.db.tx() as tx:
        late = await tx.maybe(queries_plans.OVERDUE, account=UUID(account))
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
