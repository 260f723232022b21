"""A subscription at Stripe makes the business profile of the linked account, in any order of arrival."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.factories import Make
from tests.stripe_mirror.helpers import ingest, value
from vetrina.accounts.profiles import queries as profiles
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId
from vetrina.stripe_mirror.consistency import sample_data as sample

NOW = int(time.time())
CUSTOMER = sample.customer(1, NOW)


async def arrive(db: Database, account: AccountId, thing: str, status: str = "active", *, later: int = 0) -> None:
    """Let the customer, its subscription or its link to the account arrive."""
    if thing == "link":
        async with db.tx() as tx:
            await tx.connection.execute("select stripe_mirror.link_customer(%s, %s, 'checkout')", (account, CUSTOMER["id"]))
    elif thing == "customer":
        await ingest(db, [sample.event("customer.created", CUSTOMER, NOW, 1)])
    else:
        data = sample.subscription(1, NOW, status=status, customer_id=CUSTOMER["id"])
        kind = "updated" if later else "created"
        await ingest(db, [sample.event(f"customer.subscription.{kind}", data, NOW + later, f"sub{later}")])


async def business(db: Database, account: AccountId) -> str | None:
    return await value(db, "select business_name from accounts.vendors where account_id = %s", account)


@pytest.mark.parametrize("order", list(itertools.permutations(["link", "customer", "subscription"])))
async def test_profile_exists_once_all_have_arrived(db: Database, make: Make, order: tuple[str, ...]) -> None:
    account = await make.account()
    for n, thing in enumerate(order):
        # The customer itself is not needed: a link may name one that the mirror does not have yet.
        assert await business(db, account.id) == ("Test" if {"link", "subscription"} <= set(order[:n]) else None)
        await arrive(db, account.id, thing)
    assert await business(db, account.id) == "Test"


async def test_removed_profile_stays_removed_while_the_subscription_goes_on(db: Database, make: Make) -> None:
    account = await make.account()
    await arrive(db, account.id, "link")
    await arrive(db, account.id, "subscription")
    assert await business(db, account.id)
    async with db.tx() as tx:
        await tx.execute(profiles.REMOVE_BUSINESS, account=account.id)
    await arrive(db, account.id, "subscription", later=60)
    await arrive(db, account.id, "subscription", "past_due", later=120)
    await arrive(db, account.id, "subscription", later=180)
    assert await business(db, account.id) is None


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "canceled", "unpaid", "paused"])
async def test_only_a_subscription_that_is_active_makes_a_profile(db: Database, make: Make, status: str) -> None:
    account = await make.account()
    await arrive(db, account.id, "link")
    await arrive(db, account.id, "subscription", status)
    assert await business(db, account.id) is None
    await arrive(db, account.id, "subscription", "trialing", later=60)
    assert await business(db, account.id) is not None


async def test_existing_profile_does_not_change(db: Database, make: Make) -> None:
    account = await make.account(kind="vendor")
    async with db.tx() as tx:
        await tx.connection.execute(
            "update accounts.vendors set business_name = 'The workshop' where account_id = %s", (account.id,)
        )
    await arrive(db, account.id, "subscription")
    await arrive(db, account.id, "link")
    assert await business(db, account.id) == "The workshop"
