"""Personal data of the studio: prompts, parameters, and which images were made from which."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.core.database.ids import AccountId
from vetrina.core.personal_data import PersonalData, TableRule
from vetrina.core.services import Services
from vetrina.studio.generations import actions
from vetrina.studio.model import GenerationEnded

GENERATIONS = Statement(
    dict[str, Any],
    "select to_jsonb(g) - 'account_id' as row from studio.generations g where account_id = %(account)s order by id",
)
GENERATION_FILES = Statement(
    dict[str, Any],
    """
    select to_jsonb(f) - 'account_id' as row from studio.generation_files f
     where account_id = %(account)s order by generation_id, role, position
    """,
)
DRAFT = Statement(dict[str, Any], "select to_jsonb(d) - 'account_id' as row from studio.drafts d where account_id = %(account)s")
BATCHES = Statement(
    dict[str, Any], "select to_jsonb(b) - 'account_id' as row from studio.batches b where account_id = %(account)s order by id"
)
BATCH_ITEMS = Statement(
    dict[str, Any],
    """
    select to_jsonb(i) - 'account_id' as row from studio.batch_items i
     where account_id = %(account)s order by batch_id, position
    """,
)
FAVOURITES = Statement(
    dict[str, Any],
    "select to_jsonb(f) - 'account_id' as row from studio.favourites f where account_id = %(account)s order by generation_id",
)
AT_WORK = Statement(
    UUID,
    """
    select id from studio.generations where account_id = %(account)s and status in ('pending', 'uploading', 'processing')
    """,
)
ERASE_GENERATION_FILES = Statement(NoneType, "delete from studio.generation_files where account_id = %(account)s")
ERASE_GENERATIONS = Statement(NoneType, "delete from studio.generations where account_id = %(account)s")
ERASE_BATCH_ITEMS = Statement(NoneType, "delete from studio.batch_items where account_id = %(account)s")
ERASE_BATCHES = Statement(NoneType, "delete from studio.batches where account_id = %(account)s")
ERASE_FAVOURITES = Statement(NoneType, "delete from studio.favourites where account_id = %(account)s")
ERASE_DRAFT = Statement(NoneType, "delete from studio.drafts where account_id = %(account)s")


async def stop(services: Services, account: AccountId) -> None:
    """Cancel running generations; their credits are returned."""
    async with services.db.read() as tx:
        at_work = await tx.fetch_all(AT_WORK, account=account)
    for generation in at_work:
        try:
            async with services.db.tx() as tx:
                await actions.cancel(tx, account, generation)
        except GenerationEnded:
            continue  # it ended first


PERSONAL_DATA = PersonalData(
    "studio",
    [
        TableRule("studio.favourites", FAVOURITES, ERASE_FAVOURITES),
        TableRule("studio.batch_items", BATCH_ITEMS, ERASE_BATCH_ITEMS),
        TableRule("studio.batches", BATCHES, ERASE_BATCHES),
        TableRule("studio.drafts", DRAFT, ERASE_DRAFT),
        TableRule("studio.generation_files", GENERATION_FILES, ERASE_GENERATION_FILES),
        TableRule("studio.generations", GENERATIONS, ERASE_GENERATIONS),
    ],
    before=stop,
)
