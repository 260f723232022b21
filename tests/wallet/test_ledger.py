"""The ledger under concurrency: every credit is spent once, and the books prove it."""

from __future__ import annotations

from tests.make import Make, race
from vetrina.core.db import Database
from vetrina.core.ids import new_id
from vetrina.wallet import actions as wallet
from vetrina.wallet.model import Asset, InsufficientCredits


async def test_the_last_token_is_held_once(db: Database, make: Make) -> None:
    account = await make.account(tokens=1)

    async def hold() -> object:
        async with db.tx() as tx:
            return await wallet.hold(tx, account.id, Asset.TOKEN, 1, key=str(new_id()))

    outcomes = await race(64, hold)
    refused = [each for each in outcomes if isinstance(each, InsufficientCredits)]
    assert len(refused) == 63
    assert await make.balance(account) == (0, 1)
    await make.books()
