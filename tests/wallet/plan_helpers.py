"""What tests of plans need: a month paid for, time that passes, the ledger as lines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.factories import Account
from tests.wallet.helpers import rows
from vetrina.core.database.connection import Database
from vetrina.core.services import Services
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import jobs
from vetrina.wallet.plans.model import Membership, Quota

PRICES = {"basic": 50_000, "advanced": 150_000, "vendor_pro": 100_000}


async def plan_id(db: Database, name: str) -> UUID:
    """The plan's id."""
    return (await rows(db, "select id from wallet.plans where name = %s", name))[0][0]


async def pay(db: Database, account: Account, plan: str, key: str, amount: int | None = None) -> bool:
    """A month of the plan is paid for. Returns whether it was given; False for a repeated key."""
    price = PRICES[plan] if amount is None else amount
    apply = "select wallet.apply_paid_period(%s, %s, %s, %s, 'IRR', p_force => true)"
    records = await rows(db, apply, account.id, await plan_id(db, plan), key, price)
    return records[0][0] != "known"


async def pass_time(services: Services, account: Account, time: str) -> None:
    """Let `time` (an interval) pass for this account, and then the minute in which the periods are turned."""
    async with services.db.tx() as tx:
        # The same number of seconds everywhere, so that no period becomes longer or shorter: a month is the current one.
        rows = await tx.connection.execute(
            f"select extract(epoch from period_end - (period_end - '{time}'::interval))::float8 from wallet.memberships"
            " where account_id = %s".encode(),
            (account.id,),
        )
        (seconds,) = await rows.fetchone() or (0,)
        for table, columns in {
            "wallet.memberships": ("period_start", "period_end", "billing_anchor", "grace_until"),
            "wallet.periods": ("starts_at", "ends_at", "bought_until"),
            "wallet.grants": ("expires_at",),
        }.items():
            changes = ", ".join(
                f"{column} = {column} - "
                + (f"'{time}'::interval" if column == "billing_anchor" else f"make_interval(secs => {seconds})")
                for column in columns
            )
            # A free month is named after its beginning.
            changes += ", key = replace(key, 'free:', id || ' free:')" if table == "wallet.periods" else ""
            await tx.connection.execute(f"update {table} set {changes} where account_id = %s".encode(), (account.id,))
    await jobs.advance_periods(services)


async def member(db: Database, account: Account) -> Membership:
    """The account's membership."""
    async with db.read() as tx:
        return await plans.membership(tx, account.id)


async def quota(db: Database, account: Account, asset: str = "conversion") -> Quota:
    """One bucket."""
    async with db.read() as tx:
        return next(item for item in await plans.quotas(tx, account.id) if item.asset == asset)


async def ledger(db: Database, account: Account, asset: str = "conversion") -> list[tuple[Any, ...]]:
    """The asset's entries in order: kind, quantity, balance after it."""
    return await rows(
        db,
        "select kind, quantity::int, balance_after::int from wallet.entries"
        " where account_id = %s and asset = %s order by position",
        account.id,
        asset,
    )
