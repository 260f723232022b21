"""The ledger: every credit is spent once, ends once, comes back whole, and the books prove it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.factories import Account, Make, race
from tests.wallet.helpers import give, hold, rows
from vetrina.accounts.model import Kind
from vetrina.core.database.connection import Database
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import InsufficientCredits

DAY = timedelta(days=1)


async def remaining(db: Database, account: Account) -> dict[str, int]:
    """What is left of each grant of tokens, by its key."""
    records = await rows(db, "select key, remaining from wallet.grants where account_id = %s and asset = 'token'", account.id)
    return dict(records)


async def test_the_last_token_is_held_once(db: Database, make: Make) -> None:
    account = await make.account(tokens=1)
    outcomes = await race(64, lambda: hold(db, account, 1))
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientCredits)]
    assert len(refused) == 63
    assert await make.balance(account) == (0, 1)
    await make.books()


async def test_a_key_holds_and_gives_once(db: Database, make: Make) -> None:
    account = await make.account(tokens=5)
    held = await race(16, lambda: hold(db, account, 2, "picture 1"))
    given = await race(16, lambda: give(db, account, 10, "present"))
    assert len(set(held)) == 1 and isinstance(held[0], UUID), held
    assert len(set(given)) == 1 and isinstance(given[0], UUID), given
    assert await make.balance(account) == (13, 2)
    await make.books()


@pytest.mark.parametrize("attempt", range(5))
async def test_concurrent_capture_and_release_end_a_hold_once(db: Database, make: Make, attempt: int) -> None:
    account = await make.account(tokens=10)
    held = await hold(db, account, 4)

    async def capture() -> str | None:
        async with db.tx() as tx:
            return "captured" if await wallet.capture(tx, account.id, held) else None

    async def release() -> str | None:
        async with db.tx() as tx:
            return "released" if await wallet.release(tx, account.id, held, reason="test") else None

    turns = iter([capture, release] * 16)
    ends = [result for result in await race(32, lambda: next(turns)()) if result is not None]
    assert ends in (["captured"], ["released"])
    assert await make.balance(account) == ((6, 0) if ends == ["captured"] else (10, 0))
    assert await rows(db, "select state from wallet.holds where id = %s", held) == [(ends[0],)]
    await make.books()


@pytest.mark.parametrize("first", ["capture", "release"])
async def test_concurrent_ends_do_not_deadlock(db: Database, make: Make, first: str) -> None:
    account = await make.account(tokens=10)
    held = await hold(db, account, 4)

    async def end(how: str) -> bool:
        async with db.tx() as tx:
            if how == "capture":
                return await wallet.capture(tx, account.id, held)
            return await wallet.release(tx, account.id, held, reason="test")

    async def waiting(count: int) -> None:
        async with asyncio.timeout(10):
            while len(await rows(db, "select from pg_stat_activity where datname = current_database()"
                                     " and wait_event_type = 'Lock'")) < count:  # fmt: skip
                await asyncio.sleep(0.01)

    async with db.tx() as tx:
        await tx.connection.execute("select from wallet.wallets where account_id = %s for update", (account.id,))
        one = asyncio.create_task(end(first))
        await waiting(1)
        other = asyncio.create_task(end("release" if first == "capture" else "capture"))
        await waiting(2)
    assert sorted(await asyncio.gather(one, other)) == [False, True]
    await make.books()


async def test_a_strangers_hold_is_nothing(db: Database, make: Make) -> None:
    account, stranger = await make.account(tokens=2), await make.account(tokens=2)
    held = await hold(db, account, 1)
    async with db.tx() as tx:
        assert not await wallet.capture(tx, stranger.id, held)
        assert not await wallet.release(tx, stranger.id, held, reason="mine")
    assert await make.balance(account) == (1, 1)


async def test_earliest_expiring_grant_is_spent_first(db: Database, make: Make) -> None:
    account = await make.account(tokens=3)
    now = datetime.now(UTC)
    await give(db, account, 3, "next month", now + 30 * DAY)
    await give(db, account, 3, "tomorrow", now + DAY)
    first, second, third = await hold(db, account, 2), await hold(db, account, 2), await hold(db, account, 4)
    assert await remaining(db, account) == {"test": 1, "next month": 0, "tomorrow": 0}
    async with db.tx() as tx:
        assert await wallet.capture(tx, account.id, first)
        assert await wallet.release(tx, account.id, second, reason="failed")
    assert await remaining(db, account) == {"test": 1, "next month": 1, "tomorrow": 1}
    async with db.tx() as tx:
        assert await wallet.release(tx, account.id, third, reason="failed")
    assert await remaining(db, account) == {"test": 3, "next month": 3, "tomorrow": 1}
    await make.books()


async def test_expired_grant_cannot_be_spent(db: Database, make: Make) -> None:
    account = await make.account(tokens=1)
    await give(db, account, 5, "old", datetime.now(UTC) - DAY)
    assert await make.balance(account) == (6, 0)
    held = await hold(db, account, 1)
    assert await make.balance(account) == (0, 1)
    with pytest.raises(InsufficientCredits):
        await hold(db, account, 1)
    kinds = "select kind, quantity::int from wallet.entries where account_id = %s and asset = 'token' order by position"
    assert await rows(db, kinds, account.id) == [("grant", 1), ("grant", 5), ("expiry", -5), ("hold", -1)]
    assert await rows(db, "select id from wallet.holds where account_id = %s", account.id) == [(held,)]
    await make.books()


async def test_expired_grants_are_taken_out_by_themselves(db: Database, make: Make) -> None:
    account, other = await make.account(tokens=1), await make.account(tokens=1)
    past = datetime.now(UTC) - DAY
    await give(db, account, 5, "old", past)
    await give(db, account, 2, "older", past - DAY)
    await give(db, other, 3, "old", past)
    async with db.tx() as tx:
        assert await wallet.expire_due(tx) == 10
        assert await wallet.expire_due(tx) == 0
    assert (await make.balance(account), await make.balance(other)) == ((1, 0), (1, 0))
    await make.books()


async def test_released_expired_credits_are_extended_by_a_day_once(db: Database, make: Make) -> None:
    account = await make.account(tokens=0)
    await give(db, account, 5, "this week", datetime.now(UTC) + DAY)

    async def back_after_its_time() -> tuple[datetime, int]:
        held = await hold(db, account, 2)
        async with db.tx() as tx:
            await tx.connection.execute("update wallet.grants set expires_at = now() - interval '1 s' where key = 'this week'")
            assert await wallet.release(tx, account.id, held, reason="failed")
        (row,) = await rows(db, "select expires_at, remaining::int from wallet.grants where key = 'this week'")
        return row

    until, left = await back_after_its_time()
    assert left == 5 and timedelta(hours=23) < until - datetime.now(UTC) <= DAY
    await hold(db, account, 1)
    until, left = await back_after_its_time()
    assert left == 4 and until < datetime.now(UTC), "once"
    with pytest.raises(InsufficientCredits):
        await hold(db, account, 1)
    async with db.tx() as tx:
        assert await wallet.expire_due(tx) == 4
    assert await make.balance(account) == (0, 1)
    await make.books()


@pytest.mark.parametrize(
    ("kind", "granted"),
    [("user", {"token": 20, "conversion": 2, "image_slot": 5}), ("vendor", {"token": 20, "image_slot": 10})],
)
async def test_a_new_account_is_welcomed(db: Database, make: Make, kind: Kind, granted: dict[str, int]) -> None:
    account = await make.account(kind=kind)
    records = await rows(
        db, "select asset::text, quantity::int, source, expires_at from wallet.grants where account_id = %s", account.id
    )
    assert {row[0]: row[1] for row in records} == granted
    assert {row[0]: (row[2], row[3] is not None) for row in records} == {
        asset: ("free", False) if asset == "token" else ("plan", True) for asset in granted
    }
    (membership,) = await rows(
        db,
        "select p.name, p.kind, m.period_end - m.period_start between interval '28 days' and interval '31 days'"
        " from wallet.memberships m join wallet.plans p on p.id = m.plan_id where m.account_id = %s",
        account.id,
    )
    assert membership == ("free" if kind == "user" else "vendor_free", kind, True)
    await make.books()
