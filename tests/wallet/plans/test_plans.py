"""Plans: what a month gives, how one follows another, once whatever happens, and the ledger says so."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Make, race
from tests.thoroughness import by_profile
from tests.wallet.helpers import rows
from tests.wallet.plan_helpers import ledger, member, pass_time, pay, plan_id, quota
from vetrina.core.database.connection import Database
from vetrina.core.services import Services
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import jobs
from vetrina.wallet.plans.model import (
    NoPaidPlan,
    NotADowngrade,
    NotAnUpgrade,
    PaidAhead,
    PlanIsFree,
    PlanNotForYou,
    QuotaUsedUp,
    UnknownPlan,
)

DOCUMENTED = {
    "free": ("user", 0, 2, 5),
    "basic": ("user", 50_000, 20, 50),
    "advanced": ("user", 150_000, 100, 200),
    "vendor_free": ("vendor", 0, 0, 10),
    "vendor_pro": ("vendor", 100_000, 0, 500),
}


async def test_the_five_plans_of_the_document(db: Database) -> None:
    records = await rows(
        db, "select name, kind, price_per_month, monthly_conversions_limit, monthly_images_limit from wallet.plans"
    )
    assert {row[0]: row[1:] for row in records} == DOCUMENTED
    assert await rows(db, "select distinct currency from wallet.plans") == [("IRR",)]


@pytest.mark.parametrize(
    ("anchor", "at", "month"),
    [
        ("2026-01-31 10:00", "2026-01-31 10:00", ("2026-01-31 10:00", "2026-02-28 10:00")),
        ("2026-01-31 10:00", "2026-02-28 09:59", ("2026-01-31 10:00", "2026-02-28 10:00")),
        ("2026-01-31 10:00", "2026-02-28 10:00", ("2026-02-28 10:00", "2026-03-31 10:00")),
        ("2026-01-31 10:00", "2028-02-29 10:00", ("2028-02-29 10:00", "2028-03-31 10:00")),
        ("2025-12-15 00:00", "2026-01-01 00:00", ("2025-12-15 00:00", "2026-01-15 00:00")),
    ],
)
async def test_a_month_keeps_its_day(db: Database, anchor: str, at: str, month: tuple[str, str]) -> None:
    (result,) = await rows(
        db,
        "select to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'),"
        " to_char(ends_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')"
        " from wallet.month_of((%s || ' UTC')::timestamptz, (%s || ' UTC')::timestamptz)",
        anchor,
        at,
    )
    assert result == month


@settings(max_examples=by_profile(full=150, fast=20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    anchor=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    after=st.timedeltas(timedelta(0), timedelta(days=1200)),
)
async def test_months_follow_each_other_without_gap_or_overlap(db: Database, anchor: datetime, after: timedelta) -> None:
    """Every moment lies in one month, and the month after it begins where that one ends."""
    at = anchor + after
    (first,) = await rows(db, "select starts_at, ends_at from wallet.month_of(%s, %s)", anchor, at)
    (second,) = await rows(db, "select starts_at, ends_at from wallet.month_of(%s, %s)", anchor, first[1])
    assert first[0] <= at < first[1] == second[0] < second[1]
    assert timedelta(days=28) <= first[1] - first[0] <= timedelta(days=31)


async def test_free_allowance_is_granted_monthly_and_expires_with_the_month(services: Services, make: Make, db: Database) -> None:
    account, vendor = await make.account(), await make.account(kind="vendor")
    async with db.tx() as tx:
        await plans.spend(tx, account.id, Asset.CONVERSION, key="one")
    before = await quota(db, account)
    assert (before.limit, before.used, before.remaining) == (2, 1, 1)
    for item in (account, vendor):
        await pass_time(services, item, "1 month")
    assert await ledger(db, account) == [("grant", 2, 2), ("hold", -1, 1), ("expiry", -1, 0), ("grant", 2, 2)]
    assert await ledger(db, vendor, "image_slot") == [("grant", 10, 10), ("expiry", -10, 0), ("grant", 10, 10)]
    assert await ledger(db, vendor) == []
    after = await quota(db, account)
    assert (after.used, after.remaining) == (0, 2) and after.resets_at > before.resets_at - timedelta(days=3)
    # Three months in which nothing ran bring this month's allowance, not three.
    await pass_time(services, account, "3 months")
    assert (await ledger(db, account))[-2:] == [("expiry", -2, 0), ("grant", 2, 2)]
    await make.books()


async def test_concurrent_advances_start_one_period(services: Services, make: Make, db: Database) -> None:
    accounts = [await make.account() for _ in range(5)]
    month = "interval '1 month'"
    async with db.tx() as tx:
        changes = ", ".join(f"{column} = {column} - {month}" for column in ("period_start", "period_end", "billing_anchor"))
        await tx.connection.execute(f"update wallet.memberships set {changes}".encode())
        await tx.connection.execute("update wallet.periods set key = 'the month before'")
    outcomes = await race(16, lambda: jobs.advance_periods(services))
    assert [outcome for outcome in outcomes if outcome is not None] == []
    for account in accounts:
        assert [item[:2] for item in await ledger(db, account) if item[0] == "grant"] == [("grant", 2), ("grant", 2)]
    assert (await rows(db, "select count(*)::int from wallet.periods"))[0][0] == 10


async def test_failing_period_does_not_block_others(services: Services, make: Make, db: Database, owner: str) -> None:
    stuck, account = await make.account(), await make.account()
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        await connection.execute(
            f"create function wallet.stumble() returns trigger language plpgsql as $$ begin if new.account_id = '{stuck.id}' then"
            " raise exception 'stuck'; end if; return new; end $$".encode()
        )
        await connection.execute(
            "create trigger stumble before insert on wallet.periods for each row execute function wallet.stumble()"
        )
    for item in (stuck, account):
        await pass_time(services, item, "1 month")
    assert (await quota(db, account)).remaining == 2
    assert (await member(db, stuck)).period_end < datetime.now(UTC) + timedelta(seconds=1)
    await make.books()


async def test_a_month_that_is_paid_for_is_given_once(make: Make, db: Database) -> None:
    account = await make.account()
    outcomes = await race(32, lambda: pay(db, account, "basic", "payment:1"))
    assert Counter(outcomes) == {False: 31, True: 1}
    result = await member(db, account)
    assert (result.plan, result.state, result.renewed_by) == ("basic", "active", None)
    assert timedelta(days=27) < result.period_end - datetime.now(UTC) < timedelta(days=32)
    # What is left of the free month stays until its own end: free allowance and the plan's.
    assert await ledger(db, account) == [("grant", 2, 2), ("grant", 20, 22)]
    bucket = await quota(db, account)
    assert (bucket.limit, bucket.used, bucket.remaining, bucket.plan) == (20, 0, 22, "Basic")
    await make.books()


async def test_one_more_month_waits_for_its_turn(services: Services, make: Make, db: Database) -> None:
    account = await make.account()
    await pay(db, account, "basic", "payment:1")
    ends = (await member(db, account)).period_end
    await pay(db, account, "basic", "payment:2")
    ahead = await member(db, account)
    assert ahead.period_end == ends and ahead.paid_until is not None and ahead.paid_until > ends
    async with db.read() as tx:
        with pytest.raises(PaidAhead):
            await plans.offer(tx, account.id, await plan_id(db, "basic"), "IRR")
    await pass_time(services, account, "1 month")
    later = await member(db, account)
    assert (later.plan, later.state, later.paid_until) == ("basic", "active", None)
    assert (await quota(db, account)).remaining == 20
    await make.books()


async def test_cancelled_plan_ends_with_its_period(services: Services, make: Make, db: Database) -> None:
    account = await make.account()
    await pay(db, account, "basic", "payment:1")
    async with db.tx() as tx:
        left = await plans.cancel(tx, account.id)
    assert (left.plan, left.cancel_at_period_end, left.next_plan) == ("basic", True, "free")
    await pass_time(services, account, "20 days")
    assert (await member(db, account)).plan == "basic"
    async with db.tx() as tx:
        assert (await plans.resume(tx, account.id)).next_plan is None
        await plans.cancel(tx, account.id)
    await pass_time(services, account, "11 days")
    after = await member(db, account)
    assert (after.plan, after.cancel_at_period_end, after.grace_until) == ("free", False, None)
    assert (await quota(db, account)).remaining == 2
    async with db.tx() as tx:
        with pytest.raises(NoPaidPlan):
            await plans.cancel(tx, account.id)


async def test_plans_are_offered_by_account_kind(make: Make, db: Database) -> None:
    account, vendor = await make.account(), await make.account(kind="vendor")
    ids = {name: await plan_id(db, name) for name in DOCUMENTED}
    async with db.read() as tx:
        assert (await plans.offer(tx, account.id, ids["basic"], "IRR")).price == 50_000
        assert (await plans.offer(tx, account.id, ids["basic"], "USD")).price == 499
        for who, plan, currency, refusal in (
            (account, "vendor_pro", "IRR", PlanNotForYou),
            (vendor, "basic", "IRR", PlanNotForYou),
            (account, "free", "IRR", PlanIsFree),
            (account, "basic", "EUR", UnknownPlan),
        ):
            with pytest.raises(refusal):
                await plans.offer(tx, who.id, ids[plan], currency)
        with pytest.raises(UnknownPlan):
            await plans.offer(tx, account.id, account.id, "IRR")
    await pay(db, account, "advanced", "payment:1")
    async with db.tx() as tx:
        with pytest.raises(NotAnUpgrade):
            await plans.offer(tx, account.id, ids["basic"], "IRR")
        assert (await plans.downgrade(tx, account.id, ids["basic"])).next_plan == "basic"
        assert (await plans.downgrade(tx, account.id, ids["advanced"])).next_plan is None
        assert (await plans.downgrade(tx, account.id, ids["free"])).next_plan == "free"
        with pytest.raises(PlanNotForYou):
            await plans.downgrade(tx, account.id, ids["vendor_pro"])
        with pytest.raises(NoPaidPlan):
            await plans.downgrade(tx, vendor.id, ids["vendor_pro"])
    other = await make.account()
    await pay(db, other, "basic", "payment:1")
    async with db.tx() as tx:
        with pytest.raises(NotADowngrade):
            await plans.downgrade(tx, other.id, ids["advanced"])


async def test_insufficient_quota_reports_asset_remaining_and_reset(make: Make, db: Database) -> None:
    account, vendor = await make.account(), await make.account(kind="vendor")

    async def use() -> None:
        async with db.tx() as tx:
            await plans.spend(tx, account.id, Asset.CONVERSION, key=str(id(object())) + str(asyncio.current_task()))

    outcomes = await race(32, use)
    denied = [outcome for outcome in outcomes if isinstance(outcome, QuotaUsedUp)]
    assert len(denied) == 30 and outcomes.count(None) == 2
    resets = (await member(db, account)).period_end
    details = denied[0].details
    assert (details["bucket"], details["remaining"], details["limit"], details["resets_at"]) == ("conversion", 0, 2, resets)
    assert denied[0].message.startswith("Free plan: 2 of 2 conversions used this month, 0 left. They reset on ")
    async with db.tx() as tx:
        with pytest.raises(QuotaUsedUp, match="The Vendor Free plan includes no conversions"):
            await plans.spend(tx, vendor.id, Asset.CONVERSION, key="one")
    await make.books()


async def test_with_its_money_a_month_is_taken_back(services: Services, make: Make, db: Database) -> None:
    account = await make.account()
    await pay(db, account, "basic", "payment:1")
    await pay(db, account, "basic", "payment:2")
    for key, waiting in (("payment:2", None), ("payment:1", None), ("payment:3", None)):
        await rows(db, "select wallet.revoke_paid_period(%s, %s)", account.id, key)
        assert (await member(db, account)).paid_until == waiting
    assert (await member(db, account)).plan == "free"
    assert (await ledger(db, account))[-2:] == [("expiry", -20, 2), ("grant", 2, 4)]
    await pass_time(services, account, "1 month")
    assert (await member(db, account)).plan == "free" and (await quota(db, account)).remaining == 2
    await make.books()
