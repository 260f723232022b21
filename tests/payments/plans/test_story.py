"""Scenarios of plans from the button to the ledger, which is printed (pytest -s).

An upgrade in the middle of a month, a renewal that fails twice and then succeeds, one that never does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2

from tests.factories import Account, Make
from tests.payments.helpers import one, press, scalar
from tests.server import Site
from tests.wallet.plan_helpers import ledger, member, pass_time, quota
from vetrina.core.database.connection import Database
from vetrina.core.services import Services
from vetrina.payments.refunds import actions as refunds
from vetrina.wallet.model import Asset
from vetrina.wallet.plans import actions as plans
from vetrina.wallet.plans import jobs


async def ids(api: httpx2.AsyncClient) -> dict[str, str]:
    """The plans' ids by name."""
    return {item["name"]: item["id"] for item in (await api.get("/plans")).json()["items"]}


async def order(api: httpx2.AsyncClient, plan: str, **more: Any) -> dict[str, Any]:
    """A checkout for a month of the plan."""
    answer = await api.post("/payments", json={"plan_id": (await ids(api))[plan], "gateway": "sandbox", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def spend(db: Database, account: Account, count: int, what: str) -> None:
    """Use conversions."""
    for number in range(count):
        async with db.tx() as tx:
            await plans.spend(tx, account.id, Asset.CONVERSION, key=f"{what} {number}")


def summed(entries: list[tuple[Any, ...]]) -> list[tuple[str, int]]:
    """Neighbours of one kind as one line."""
    result: list[tuple[str, int]] = []
    for kind, quantity, _ in entries:
        if result and result[-1][0] == kind == "hold":
            result[-1] = (kind, result[-1][1] + quantity)
        else:
            result.append((kind, quantity))
    return result


async def test_an_upgrade_in_the_middle_of_a_month(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        await spend(db, account, 5, "first")  # two of the free month's, which ends sooner, and three of the plan's
        await pass_time(services, account, "10 days")
        before = await member(db, account)
        opened, twin = await order(api, "advanced"), await order(api, "advanced")
        days = (before.period_end - before.period_start) / timedelta(days=1)
        credit = 150_000 - opened["amount"]
        assert abs(credit - 50_000 * (days - 10) / days) < 2
        assert opened["description"] == f"Advanced plan, one month, less {credit:,} IRR for what is left of your plan"
        await press(site.client, opened, "paid")
        after = await member(db, account)
        assert after.plan == "advanced" and after.period_end - after.period_start > timedelta(days=27)
        assert after.period_start > before.period_start + timedelta(days=9)
        entries = await ledger(db, account)
        assert summed(entries) == [("grant", 2), ("grant", 20), ("hold", -5), ("expiry", -17), ("grant", 100)]
        assert (await quota(db, account)).remaining == 100

        # The other checkout took the same credit off, which is used up: it pays itself back.
        await press(site.client, twin, "paid")
        assert await member(db, account) == after
        refund = await scalar(db, "select args ->> 'refund' from procrastinate_jobs where task_name = 'payments.refund'")
        await refunds.carry(services, account.id, UUID(refund))
        assert (await one(api, twin))["status"] == "refunded"
        assert await member(db, account) == after
    await make.books()


async def test_a_renewal_fails_twice_and_then_succeeds(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "basic"), "paid")
        ends = (await member(db, account)).period_end
        await spend(db, account, 8, "first")
        await pass_time(services, account, "1 month")
        late = await member(db, account)
        assert (late.plan, late.state) == ("basic", "grace") and late.grace_until is not None
        assert late.grace_until - late.period_end == timedelta(days=7)
        assert (await quota(db, account)).remaining == 14, "what had lapsed is back"
        told_of = await scalar(db, "select args ->> 'account' from procrastinate_jobs where task_name = 'wallet.overdue'")
        assert told_of == str(account.id)
        await jobs.notify_overdue(services, str(account.id))
        assert await scalar(db, "select count(*)::int from procrastinate_jobs where task_name = 'core.deliver'") == 1
        for day in range(2):
            declined = await order(api, "basic")
            await press(site.client, declined, "declined")
            assert (await one(api, declined))["status"] == "failed"
            await pass_time(services, account, "1 day")
            assert (await member(db, account)).state == "grace", day
        await spend(db, account, 3, "grace")
        bucket = await quota(db, account)
        assert (bucket.limit, bucket.used, bucket.remaining) == (20, 9, 11)
        due = (await member(db, account)).period_end
        await press(site.client, await order(api, "basic"), "paid")
        after = await member(db, account)
        assert (after.plan, after.state, after.period_start) == ("basic", "active", due), "the month that was due, not a new one"
        assert after.period_end < ends + timedelta(days=32)
        await jobs.notify_overdue(services, str(account.id))
        assert await scalar(db, "select count(*)::int from procrastinate_jobs where task_name = 'core.deliver'") == 1
        entries = await ledger(db, account)
        assert summed(entries) == [
            ("grant", 2), ("grant", 20), ("hold", -8), ("expiry", -14), ("grant", 14), ("hold", -3), ("expiry", -11),
            ("grant", 20),
        ]  # fmt: skip
        assert (await quota(db, account)).remaining == 20
    await make.books()


async def test_a_renewal_that_never_comes(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account(kind="vendor")
    async with site.api(account) as api:
        await press(site.client, await order(api, "vendor_pro"), "paid")
        for time in ("1 month", "6 days"):
            await pass_time(services, account, time)
            assert (await member(db, account)).plan == "vendor_pro"
        unpaid = await order(api, "vendor_pro")
        await pass_time(services, account, "1 day")
        left = await member(db, account)
        assert (left.plan, left.state, left.grace_until) == ("vendor_free", "active", None)
        entries = await slots_of(db, account)
        assert entries == [("grant", 10), ("grant", 500), ("expiry", -10), ("expiry", -500), ("grant", 500), ("expiry", -500),
                           ("grant", 10)]  # fmt: skip
        # The money comes after all, when the plan has ended: a month from now, at once.
        await press(site.client, unpaid, "paid")
        back = await member(db, account)
        assert (back.plan, back.state) == ("vendor_pro", "active")
        assert back.period_start > left.period_start
        assert (await quota(db, account, "image_slot")).remaining == 510
    await make.books()


async def slots_of(db: Database, account: Account) -> list[tuple[str, int]]:
    """Return the ledger of image slots, without what was left after each entry."""
    return [(kind, quantity) for kind, quantity, _ in await ledger(db, account, "image_slot")]


async def test_a_smaller_plan_follows(site: Site, make: Make, db: Database, services: Services) -> None:
    account = await make.account()
    async with site.api(account) as api:
        await press(site.client, await order(api, "advanced"), "paid")
        refused = await api.post("/payments", json={"plan_id": (await ids(api))["basic"], "gateway": "sandbox"})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:vetrina:not-an-upgrade")
        chosen = await api.post("/membership/downgrade", json={"plan_id": (await ids(api))["basic"]})
        assert chosen.json()["next_plan"] == "basic"
        paid_ahead = await order(api, "basic")
        assert paid_ahead["amount"] == 50_000
        await press(site.client, paid_ahead, "paid")
        assert (await member(db, account)).plan == "advanced" and (await quota(db, account)).remaining == 102
        await pass_time(services, account, "1 month")
        assert (await member(db, account)).plan == "basic" and (await quota(db, account)).remaining == 20
    await make.books()
