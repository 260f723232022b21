"""Draft actions: save, load, discard."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.database.records import to_record
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.studio.drafts import queries
from vetrina.studio.model import (
    BATCH_LIMIT,
    DraftRow,
    FileNotFound,
    TooManyImages,
    UnknownStyle,
)
from vetrina.studio.styles.catalogue import Catalogue
from vetrina.studio.styles.settings import check_settings

Making = Literal["", "pictures", "styles", "seeds"]
BATCH_KINDS: dict[str, Making] = {"pictures": "pictures", "styles": "styles", "seeds": "seeds"}


class DraftBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a draft makes: one picture (""), or a batch of a kind, of these styles (none: all that fit) or this many seeds."""

    kind: Making = ""
    styles: Annotated[list[str], msgspec.Meta(max_length=BATCH_LIMIT)] = []
    count: Annotated[int, msgspec.Meta(ge=1, le=BATCH_LIMIT)] = 4


class DraftRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft to save: the fields of a generation, none of which has to be complete."""

    style_name: str
    prompt: str = ""
    product_files: list[UUID] = []
    model_files: list[UUID] = []
    parameters: dict[str, Any] = {}
    seed: int | None = None
    asset: Literal["token", "conversion"] = "token"
    batch: DraftBatch = msgspec.field(default_factory=DraftBatch)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The account's draft; `deleted_files` counts its files that were deleted since it was saved and are not in it any more."""

    style_name: str
    prompt: str
    product_files: list[UUID]
    model_files: list[UUID]
    parameters: dict[str, Any]
    seed: int | None
    asset: str
    batch: DraftBatch
    deleted_files: int
    updated_at: datetime


async def save(services: Services, tx: Tx, account: AccountId, draft: DraftRequest) -> None:
    """Save the account's draft in place of an earlier one.

    Raises UnknownStyle, InvalidParameters, PromptTooLong, TooManyImages, FileNotFound, Invalid (422).
    """
    styles = services.get(Catalogue).styles
    style = styles.get(draft.style_name)
    if style is None or any(name not in styles for name in draft.batch.styles):
        raise UnknownStyle
    if max(len(draft.product_files), len(draft.model_files)) > BATCH_LIMIT:
        raise TooManyImages
    check_settings(style, prompt=draft.prompt, seed=draft.seed, parameters=draft.parameters)
    for role, ids in (("product", draft.product_files), ("model", draft.model_files)):
        if len(await own_files(tx, account, role, ids)) < len(set(ids)):
            raise FileNotFound(field=f"{role}_files")
    fields = msgspec.structs.asdict(draft)
    fields |= {"parameters": Jsonb(draft.parameters), "batch": Jsonb(msgspec.to_builtins(draft.batch))}
    await tx.execute(queries.SAVE, account=account, **fields)


async def own_files(tx: Tx, account: AccountId, role: str, ids: list[UUID]) -> list[UUID]:
    """Return the ids that are images of the account in a role, in their order."""
    own = set(await tx.fetch_all(queries.OWN_FILES, account=account, ids=ids, category=f"{role}_image")) if ids else set[UUID]()
    return [file_id for file_id in ids if file_id in own]


async def load(tx: Tx, account: AccountId) -> DraftRow | None:
    """Return the account's draft, also one that was discarded within the last hour (`is_discarded`); None without one."""
    return await tx.fetch_optional(queries.LOAD, account=account)


async def current(tx: Tx, account: AccountId) -> Draft:
    """Return the account's draft. Raises NotFound (404) without one."""
    row = await load(tx, account)
    if row is None or row.is_discarded:
        raise NotFound
    return to_record(Draft, row, batch=batch_of(row))


def batch_of(row: DraftRow) -> DraftBatch:
    """Return what the draft makes."""
    return msgspec.convert(row.batch, DraftBatch)


async def delete(tx: Tx, account: AccountId) -> None:
    """Delete the account's draft, if there is one."""
    await tx.execute(queries.DELETE, account=account)
