"""Actions on requests: accept. One is declined by stepping out of the conversation."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.messaging.requests import queries


async def accept(tx: Tx, account: AccountId, conversation: UUID) -> None:
    """Accept a request: the conversation is one of the account's. Repeating it changes nothing. Raises NotFound (404)."""
    if not await tx.execute(queries.ACCEPT, account=account, id=conversation):
        raise NotFound
