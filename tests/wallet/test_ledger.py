"""The ledger: every credit is spent once, ends once, comes back whole, and the books prove it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.make import Account, Make, race
from vetrina.core.db import Database
from vetrina.core.ids import new_id
from vetrina.wallet import actions as wallet
from vetrina.wallet.model import Asset, InsufficientCredits

DAY = timedelta(days=1)


async def hold(db: Database, account: Account, quantity: int, key: str | None = None) -> UUID:
    async with db.tx() as tx:
        return await wallet.hold(tx, account.id, Asset.TOKEN, quantity, key=key or str(new_id()))


async def give(db: Database, account: Account, quantity: int, key: str, expires_at: datetime | None = None) -> UUID:
    async with db.tx() as tx:
        return await wallet.give(tx, account.id, Asset.TOKEN, quantity, source="gift", key=key, expires_at=expires_at)


async def rows(db: Database, sql: str, *arguments: Any) -> list[Any]:
    async with db.read() as tx:
        return await (await tx.connection.execute(sql.encode(), arguments)).fetchall()


async def remaining(db: Database, account: Account) -> dict[str, int]:
    """What is left of each grant of tokens, by its key."""
    found = await rows(db, "select key, remaining from wallet.grants where account_id = %s and asset = 'token'", account.id)
    return dict(found)


async def test_the_last_token_is_held_once(db: Database, make: Make) -> None:
    account = await make.account(tokens=1)
    outcomes = await race(64, lambda: hold(db, account, 1))
    refused = [each for each in outcomes if isinstance(each, InsufficientCredits)]
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
async def test_a_hold_ends_once_whoever_is_first(db: Database, make: Make, attempt: int) -> None:
    account = await make.account(tokens=10)
    held = await hold(db, account, 4)

    async def capture() -> str | None:
        async with db.tx() as tx:
            return "captured" if await wallet.capture(tx, account.id, held) else None

    async def release() -> str | None:
        async with db.tx() as tx:
            return "released" if await wallet.release(tx, account.id, held, reason="test") else None

    turns = iter([capture, release] * 16)
    ends = [each for each in await race(32, lambda: next(turns)()) if each is not None]
    assert ends in (["captured"], ["released"])
    assert await make.balance(account) == ((6, 0) if ends == ["captured"] else (10, 0))
    assert await rows(db, "select state from wallet.holds where id = %s", held) == [(ends[0],)]
    await make.books()


@pytest.mark.parametrize("first", ["capture", "release"])
async def test_two_ends_at_once_do_not_lock_each_other_out(db: Database, make: Make, first: str) -> None:
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


async def test_what_expires_first_is_spent_first(db: Database, make: Make) -> None:
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


async def test_what_has_expired_cannot_be_spent(db: Database, make: Make) -> None:
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


async def test_what_comes_back_after_its_time_lives_a_day_more_once(db: Database, make: Make) -> None:
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
async def test_a_new_account_is_welcomed(db: Database, make: Make, kind: str, granted: dict[str, int]) -> None:
    account = await make.account(kind=kind)
    found = await rows(
        db, "select asset::text, quantity::int, source, expires_at from wallet.grants where account_id = %s", account.id
    )
    assert {each[0]: each[1] for each in found} == granted
    assert {each[0]: (each[2], each[3] is not None) for each in found} == {
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


CHANGES = (
    "update wallet.entries set quantity = quantity + 1",
    "update wallet.entries set balance_after = 0",
    "delete from wallet.entries",
)


@pytest.mark.parametrize("change", CHANGES)
async def test_entries_are_never_changed(db: Database, make: Make, owner: str, change: str) -> None:
    await make.account(tokens=5)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await rows(db, change)
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            await connection.execute(change.encode())
    assert refused.value.diag.constraint_name == "entries_append_only"
    await make.books()


async def test_a_hold_that_ended_stays_ended(db: Database, make: Make) -> None:
    account = await make.account(tokens=5)
    held = await hold(db, account, 1)
    async with db.tx() as tx:
        await wallet.capture(tx, account.id, held)
    for change in ("state = 'held', settled_at = null", "state = 'released'", "quantity = 2"):
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            await rows(db, f"update wallet.holds set {change}")
        assert refused.value.diag.constraint_name == "hold_ends_once"


DOCTORED = {
    "an entry's figure": (
        "update wallet.entries set quantity = quantity - 1, balance_after = balance_after where id = %(entry)s",
        "running balance",
        "wallet.entries {entry}",
    ),
    "a running balance": (
        "update wallet.entries set balance_after = balance_after + 7 where id = %(entry)s",
        "running balance",
        "wallet.entries {entry}",
    ),
    "an entry that is gone": ("delete from wallet.entries where id = %(entry)s", "running balance", "wallet.entries {next}"),
    "a balance": (
        "update wallet.wallets set balance = balance + 1 where account_id = %(account)s and asset = 'token'",
        "balance = sum of entries",
        "wallet.wallets token",
    ),
    "what is held": (
        "update wallet.wallets set held = held + 1 where account_id = %(account)s and asset = 'token'",
        "held = open holds",
        "wallet.wallets token",
    ),
    "what was used": (
        "update wallet.wallets set lifetime_used = lifetime_used + 1 where account_id = %(account)s and asset = 'token'",
        "lifetime used = captured holds",
        "wallet.wallets token",
    ),
    "what is left of a grant": (
        "update wallet.grants set remaining = remaining - 1 where account_id = %(account)s and id = %(grant)s",
        "balance = what is left of grants",
        "wallet.wallets token",
    ),
    "left moved between grants": (
        "update wallet.grants set remaining = remaining + case id when %(grant)s then -1 else 1 end"
        " where account_id = %(account)s and asset = 'token'",
        "what is left of a grant = its entries",
        None,
    ),
    "a hold's size": (
        "update wallet.holds set quantity = quantity + 1 where account_id = %(account)s and id = %(hold)s;"
        " update wallet.wallets set held = held + 1 where account_id = %(account)s and asset = 'token'",
        "a hold took what it holds",
        "wallet.holds {hold}",
    ),
}


@pytest.mark.parametrize("name", DOCTORED)
async def test_the_books_name_the_first_wrong_row(db: Database, make: Make, owner: str, name: str) -> None:
    change, check, row = DOCTORED[name]
    await make.account(tokens=3)
    account = await make.account(tokens=20)
    grant = await give(db, account, 10, "second")
    await hold(db, account, 2)
    held = await hold(db, account, 1)
    for quantity in (3, 1):
        ended = await hold(db, account, quantity)
        async with db.tx() as tx:
            await (wallet.capture(tx, account.id, ended) if quantity == 3 else wallet.release(tx, account.id, ended, reason="x"))
    await make.books()
    entries = await rows(
        db, "select id from wallet.entries where account_id = %s and asset = 'token' order by position", account.id
    )
    place = {"entry": entries[2][0], "next": entries[3][0], "account": account.id, "grant": grant, "hold": held}
    async with await psycopg.AsyncConnection.connect(owner, autocommit=True) as connection:
        await connection.execute("alter table wallet.entries disable trigger user")
        for each in change.split("; "):
            await connection.execute(each.encode(), place)
    async with db.read() as tx:
        faults = await wallet.faults(tx)
    assert faults[0].check_name == check
    assert faults[0].account_id == account.id and faults[0].expected != faults[0].found
    assert row is None or faults[0].row == row.format(**place)
