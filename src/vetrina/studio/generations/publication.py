"""Publication of a generation's results, and of the photographs that they were made from."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.errors import NotFound
from vetrina.media.files import actions as media
from vetrina.studio import queries
from vetrina.studio.model import GenerationRow, GenerationRunning


async def share(tx: Tx, account: AccountId, generation: UUID, *, is_public: bool) -> GenerationRow:
    """Publish the results in the public gallery, or withdraw them. Raises NotFound, GenerationRunning (409)."""
    row = await tx.fetch_one(queries.ONE, account=account, id=generation)
    results = row.in_role("result")
    if not results:
        raise GenerationRunning("There is no finished picture to show.")
    for result in results:
        await media.change(tx, account, result.id, is_public=is_public)
    return await tx.fetch_one(queries.ONE, account=account, id=generation)


async def share_source(tx: Tx, account: AccountId, generation: UUID, file: UUID, *, is_public: bool) -> None:
    """Publish a photograph that the generation was made from, to be compared with the result, or withdraw it.

    Raises NotFound (404) for another file.
    """
    row = await tx.fetch_one(queries.ONE, account=account, id=generation)
    if file not in {facts.id for facts in (*row.in_role("product"), *row.in_role("model"))}:
        raise NotFound
    await media.change(tx, account, file, is_public=is_public)
