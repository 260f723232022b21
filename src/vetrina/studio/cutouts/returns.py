"""Returning the token of a cut-out that is not what its owner wanted: once for each picture, and the result is deleted."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import Refusal
from vetrina.media.files import actions as media
from vetrina.studio import queries
from vetrina.wallet.ledger import actions as ledger
from vetrina.wallet.model import Asset


class NotReturnable(Refusal):
    """Only a finished cut-out that was paid by tokens, and whose picture is still in the library, can be given back."""

    status = 409


class AlreadyReturned(Refusal):
    """The token of this picture was returned before: that is possible once for each picture."""

    status = 409


async def give_back(tx: Tx, account: AccountId, generation: UUID) -> int:
    """Delete the result, return the tokens that it cost, and how many they were.

    Raises NotFound (404), NotReturnable (409), AlreadyReturned (409).
    """
    row = await tx.fetch_one(queries.ONE, account=account, id=generation)
    sources, results = [*row.in_role("product"), *row.in_role("model")], row.in_role("result")
    if not row.returnable or len(sources) != 1:
        raise NotReturnable
    await tx.fetch_optional(queries.LOCK_TOKENS, account=account)  # of two at once the second one reads what the first one did
    key = f"cut-out-return:{sources[0].id}"
    if await tx.fetch_one(queries.CUT_OUT_RETURNED, account=account, key=key):
        raise AlreadyReturned
    await ledger.grant(tx, account, Asset.TOKEN, row.cost, source="refund", key=key)
    if await media.delete(tx, account, [file.id for file in results]) != len(results):
        raise AlreadyReturned
    return row.cost
