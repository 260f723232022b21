"""What expires first pays first: among the grants of an asset, and between a plan's conversions and tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.factories import Make
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import AccountId
from vetrina.wallet import queries
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset

TODAY = datetime.now(UTC).replace(microsecond=0)


def day(number: int | None) -> datetime | None:
    """Return a moment in so many days."""
    return None if number is None else TODAY + timedelta(days=number)


async def give(db: Database, account: AccountId, asset: Asset, quantity: int, days: int | None) -> None:
    """Grant credits that expire in so many days (None: never)."""
    async with db.tx() as tx:
        await wallet.grant(tx, account, asset, quantity, source="gift", key=f"{asset}:{days}:{quantity}", expires_at=day(days))


async def without_plan(db: Database, account: AccountId) -> None:
    """Take away what the free plan granted."""
    async with db.tx() as tx:
        await tx.connection.execute("select wallet.spend(%s, 'conversion', 2, 'away')", (account,))


async def first(db: Database, account: AccountId, tokens: int = 4) -> str:
    """Return the asset that pays first for a picture of so many tokens."""
    async with db.read() as tx:
        return await tx.fetch_one(queries.FIRST_TO_EXPIRE, account=account, tokens=tokens)


@pytest.mark.parametrize(
    ("conversions", "tokens", "pays"),
    [([(2, 5)], [(9, None)], "conversion"), ([(2, 5)], [(9, 3)], "token"), ([(2, 5)], [(9, 5)], "conversion"),
     ([(2, None)], [(9, 3)], "token"), ([(2, 5)], [(3, 1)], "conversion"), ([], [(9, None)], "token"),
     ([], [(3, None)], ""), ([(1, 9)], [(2, 1), (2, None)], "token"), ([(2, -1)], [(9, None)], "token")],
)  # fmt: skip
async def test_what_expires_first_pays_first(
    db: Database, make: Make, conversions: list[tuple[int, int | None]], tokens: list[tuple[int, int | None]], pays: str
) -> None:
    account = (await make.account(tokens=0)).id
    await without_plan(db, account)
    for asset, grants in ((Asset.CONVERSION, conversions), (Asset.TOKEN, tokens)):
        for quantity, days in grants:
            await give(db, account, asset, quantity, days)
    assert await first(db, account) == pays


async def test_a_frozen_asset_does_not_pay(db: Database, make: Make) -> None:
    account = (await make.account(tokens=50)).id
    assert await first(db, account) == "conversion"
    async with db.tx() as tx:
        frozen = "update wallet.wallets set frozen = true where account_id = %s and asset = 'conversion'"
        await tx.connection.execute(frozen, (account,))
    assert await first(db, account) == "token"


async def test_grants_of_one_asset_are_spent_by_expiry(db: Database, make: Make) -> None:
    account = (await make.account(tokens=0)).id
    for quantity, days in ((5, None), (5, 9), (5, 2)):
        await give(db, account, Asset.TOKEN, quantity, days)
    async with db.tx() as tx:
        await tx.connection.execute("select wallet.spend(%s, 'token', 7, 'spent')", (account,))
        rows: list[Any] = await (await tx.connection.execute(
            "select remaining from wallet.grants where account_id = %s and asset = 'token' order by expires_at", (account,)
        )).fetchall()  # fmt: skip
    assert [row[0] for row in rows] == [0, 3, 5]
