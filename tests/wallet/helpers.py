"""Steps of the wallet, each in a transaction of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.factories import Account
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.wallet.ledger import actions as wallet
from vetrina.wallet.model import Asset


async def hold(db: Database, account: Account, quantity: int, key: str | None = None) -> UUID:
    """Set tokens aside."""
    async with db.tx() as tx:
        return await wallet.hold(tx, account.id, Asset.TOKEN, quantity, key=key or str(new_id()))


async def give(db: Database, account: Account, quantity: int, key: str, expires_at: datetime | None = None) -> UUID:
    """Give tokens."""
    async with db.tx() as tx:
        return await wallet.grant(tx, account.id, Asset.TOKEN, quantity, source="gift", key=key, expires_at=expires_at)


async def rows(db: Database, sql: str, *arguments: Any) -> list[Any]:
    """The rows of a statement."""
    async with db.read() as tx:
        return await (await tx.connection.execute(sql.encode(), arguments)).fetchall()
