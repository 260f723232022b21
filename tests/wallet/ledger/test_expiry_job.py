"""The periodic job takes expired grants out of wallets whose owners do not come by."""

from __future__ import annotations

import psycopg

from tests.factories import Make
from vetrina.core.services import Services
from vetrina.wallet.ledger import jobs
from vetrina.wallet.model import Asset


async def test_expired_grants_leave_the_balances(services: Services, make: Make, owner: str) -> None:
    accounts = [await make.account(tokens=5) for _ in range(3)]
    assert await make.balance(accounts[0], Asset.CONVERSION) == (2, 0)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "update wallet.grants set expires_at = now() - interval '1 second' where asset = 'conversion' and account_id <> %s",
            (accounts[2].id,),
        )
    await jobs.expire_due(services)
    balances = [await make.balance(account, Asset.CONVERSION) for account in accounts]
    assert balances == [(0, 0), (0, 0), (2, 0)]
    assert await make.balance(accounts[0]) == (5, 0)
    await make.books()
    await jobs.expire_due(services)
    await make.books()
