"""Issue 9, 11: credits that come back from a hold pay what a refund or dispute still owes, in the same statement."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from uuid import UUID

import pytest

from tests.factories import Account, Make
from vetrina.core.database.connection import Database
from vetrina.payments.settlement import verify as books
from vetrina.wallet.ledger import actions as ledger

WELCOME = 20


async def value(db: Database, query: str, *arguments: Any) -> Any:
    """The first value of the first row, in a transaction of its own."""
    async with db.tx() as tx:
        row = await (await tx.connection.execute(query.encode(), arguments)).fetchone()
        return row[0] if row else None


async def faults(db: Database) -> list[Any]:
    """What `vetrina verify` finds."""
    async with db.tx() as tx:
        return [*await ledger.faults(tx), *await books.faults(tx)]


async def buy(db: Database, account: Account, quantity: int, amount: int = 1000) -> UUID:
    """A payment for tokens that has come in."""
    payment = await value(
        db,
        """insert into payments.payments
             (account_id, id, kind, gateway, asset, quantity, amount, currency, description, expires_at)
           values (%s, core.new_id(), 'tokens', 'sandbox', 'token', %s, %s, 'USD', 'Tokens', now() + interval '1 hour')
           returning id""",
        account.id, quantity, amount,
    )  # fmt: skip
    assert await value(db, "select payments.settle(%s, %s, 'ref', null)", account.id, payment)
    return payment


async def hold(db: Database, account: Account, quantity: int) -> UUID:
    """Set tokens aside."""
    held = await value(db, "select wallet.hold(%s, 'token', %s, %s)", account.id, quantity, secrets.token_hex(8))
    assert held is not None
    return held


async def refund(db: Database, account: Account, payment: UUID, amount: int = 1000, status: str = "succeeded") -> None:
    """What the gateway reports of a refund."""
    await value(db, "select payments.record_refund(%s, %s, null, 're_1', %s, %s, null)", account.id, payment, amount, status)


async def dispute(db: Database, account: Account, payment: UUID, status: str, amount: int = 1000) -> None:
    """What the gateway reports of a dispute."""
    await value(db, "select payments.record_dispute(%s, %s, 'dp_1', %s, %s, 'fraudulent')", account.id, payment, amount, status)


async def wallet(db: Database, account: Account) -> tuple[int, int, int]:
    """Spendable, held, owed."""
    balance = await value(db, "select balance from wallet.wallets where account_id = %s and asset = 'token'", account.id)
    held = await value(db, "select held from wallet.wallets where account_id = %s and asset = 'token'", account.id)
    owed = await value(db, "select coalesce(sum(owed), 0)::bigint from wallet.shortfalls where account_id = %s", account.id)
    return balance, held, owed


async def test_9_11_released_holds_of_a_refunded_payment_leave_nothing_spendable(make: Make, db: Database) -> None:
    """The example of the issue: 200 bought, 220 running pictures, all refunded, the pictures cancelled."""
    account = await make.account()
    payment = await buy(db, account, 200)
    holds = [await hold(db, account, 1) for _ in range(220)]
    await refund(db, account, payment)
    assert await wallet(db, account) == (0, 220, 200)
    for held in holds[:183]:
        assert await value(db, "select wallet.release(%s, %s, 'cancelled')", account.id, held)
        assert (await wallet(db, account))[0] == 0
    assert await faults(db) == []
    for held in holds[183:]:
        await value(db, "select wallet.release(%s, %s, 'cancelled')", account.id, held)
    assert await wallet(db, account) == (WELCOME, 0, 0)
    assert await faults(db) == []


async def test_9_11_a_partial_refund_owes_only_its_part(make: Make, db: Database) -> None:
    account = await make.account()
    payment = await buy(db, account, 200)
    held = await hold(db, account, 220)
    await refund(db, account, payment, 250)
    assert await wallet(db, account) == (0, 220, 50)
    await value(db, "select wallet.release(%s, %s, 'failed')", account.id, held)
    assert await wallet(db, account) == (170, 0, 0)
    assert await faults(db) == []


@pytest.mark.parametrize(("end", "left"), [("won", 220), ("lost", 20)])
async def test_9_11_a_dispute_collects_and_gives_back(make: Make, db: Database, end: str, left: int) -> None:
    account = await make.account()
    payment = await buy(db, account, 200)
    held, spent = await hold(db, account, 150), await hold(db, account, 70)
    await dispute(db, account, payment, "needs_response")
    await value(db, "select wallet.release(%s, %s, 'failed')", account.id, held)
    assert await wallet(db, account) == (0, 70, 50)
    await value(db, "select wallet.release(%s, %s, 'failed')", account.id, spent)
    assert await wallet(db, account) == (20, 0, 0)
    await dispute(db, account, payment, end)
    assert await wallet(db, account) == (left, 0, 0)
    assert await faults(db) == []


async def test_9_11_failed_refund_reduces_the_shortfall_first(make: Make, db: Database) -> None:
    account = await make.account()
    payment = await buy(db, account, 200)
    spent, held = await hold(db, account, 100), await hold(db, account, 120)
    await value(db, "select wallet.capture(%s, %s)", account.id, spent)
    await refund(db, account, payment)
    await value(db, "select wallet.release(%s, %s, 'failed')", account.id, held)
    assert await wallet(db, account) == (0, 0, 80)
    await refund(db, account, payment, status="failed")
    assert await wallet(db, account) == (120, 0, 0)
    assert await faults(db) == []


async def test_9_11_credits_of_an_expired_grant_pay_first(make: Make, db: Database) -> None:
    account = await make.account(tokens=30)
    payment = await buy(db, account, 200)
    async with db.tx() as tx:
        await tx.connection.execute(b"update wallet.grants set expires_at = now() + interval '1 hour' where account_id = %s"
                                    b" and source = 'gift'", (account.id,))  # fmt: skip
    total = (await wallet(db, account))[0]
    held = await hold(db, account, total)
    await refund(db, account, payment)
    await value(db, "update wallet.grants set expires_at = now() - interval '1 hour' where account_id = %s and source = 'gift'"
                    " returning 1", account.id)  # fmt: skip
    await value(db, "select wallet.release(%s, %s, 'failed')", account.id, held)
    assert await wallet(db, account) == (total - 200, 0, 0)
    assert await faults(db) == []


async def test_9_11_later_purchases_are_not_taken(make: Make, db: Database) -> None:
    account = await make.account()
    payment = await buy(db, account, 200)
    spent = await hold(db, account, 220)
    await value(db, "select wallet.capture(%s, %s)", account.id, spent)
    await refund(db, account, payment)
    await buy(db, account, 50)
    assert await wallet(db, account) == (50, 0, 200)
    assert await faults(db) == []


async def test_9_11_a_refund_and_releases_at_once(make: Make, db: Database) -> None:
    account = await make.account()
    payment = await buy(db, account, 200)
    holds = [await hold(db, account, 10) for _ in range(22)]
    releases = [value(db, "select wallet.release(%s, %s, 'cancelled')", account.id, held) for held in holds]
    await asyncio.gather(*releases[:11], refund(db, account, payment), *releases[11:])
    assert await wallet(db, account) == (WELCOME, 0, 0)
    assert await faults(db) == []


async def test_9_11_refunded_plan_does_not_extend_held_credits(make: Make, db: Database) -> None:
    account = await make.account()
    plan = await value(db, "select id from wallet.plans where name = 'basic'")
    payment = await value(
        db,
        """insert into payments.payments (account_id, id, kind, gateway, plan_id, amount, currency, description, expires_at)
           values (%s, core.new_id(), 'plan', 'sandbox', %s, 499, 'USD', 'Basic', now() + interval '1 hour') returning id""",
        account.id, plan,
    )  # fmt: skip
    await value(db, "select payments.settle(%s, %s, 'ref', null)", account.id, payment)
    held = await value(db, "select wallet.hold(%s, 'conversion', 15, 'k')", account.id)
    await refund(db, account, payment, 499)
    await value(db, "select wallet.release(%s, %s, 'cancelled')", account.id, held)
    # The free plan's two of each month are left: those before the purchase, and those after its end.
    assert await value(db, "select wallet.hold(%s, 'conversion', 5, 'k2')", account.id) is None
    assert await value(db, "select wallet.hold(%s, 'conversion', 4, 'k3')", account.id) is not None
    assert await faults(db) == []


async def test_9_11_verify_finds_spendable_credits_beside_a_shortfall(make: Make, db: Database, owner: str) -> None:
    account = await make.account()
    payment = await buy(db, account, 200)
    held = await hold(db, account, 220)
    await refund(db, account, payment)
    # As version 0.1.0 released holds.
    await value(db, "update wallet.shortfalls set owed = 0 where account_id = %s returning 1", account.id)
    await value(db, "select wallet.release(%s, %s, 'cancelled')", account.id, held)
    await value(db, "update wallet.shortfalls set owed = 200 where account_id = %s returning 1", account.id)
    assert [fault.check_name for fault in await faults(db)] == ["nothing older is spendable while credits are owed"]
    await value(db, "update wallet.shortfalls set owed = 150 where account_id = %s returning 1", account.id)
    assert "owed = its shortfalls, less what holds gave back" in [fault.check_name for fault in await faults(db)]
