"""The books: what was written stays as it was written, and a wrong row is named."""

from __future__ import annotations

import psycopg
import pytest

from tests.factories import Make
from tests.wallet.helpers import give, hold, rows
from vetrina.core.database.connection import Database
from vetrina.wallet.ledger import actions as wallet

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
        for part in change.split("; "):
            await connection.execute(part.encode(), place)
    async with db.read() as tx:
        faults = await wallet.faults(tx)
    assert faults[0].check_name == check
    assert faults[0].account_id == account.id and faults[0].expected != faults[0].found
    assert row is None or faults[0].row == row.format(**place)
