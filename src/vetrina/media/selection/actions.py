"""Acts on several files: visibility and tags."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from vetrina.core import usage
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.media.files.names import tidy_tags
from vetrina.media.model import InvalidTag
from vetrina.media.selection import queries


async def set_public(tx: Tx, account: AccountId, ids: Sequence[UUID], *, is_public: bool) -> list[UUID]:
    """Publish or hide the account's files among these; return those that changed.

    Raises ConfirmFirst (403), or the refusal of a picture that an operator removed (409); then none is changed.
    """
    changed = await tx.fetch_all(queries.SET_PUBLIC, account=account, ids=list(ids), is_public=is_public)
    return await _record(tx, account, changed)


async def add_tag(tx: Tx, account: AccountId, ids: Sequence[UUID], tag: str) -> list[UUID]:
    """Add a tag to the account's files among these; return those that did not have it. Raises InvalidTag, TooManyTags (422)."""
    changed = await tx.fetch_all(queries.ADD_TAG, account=account, ids=list(ids), tag=_tag(tag))
    return await _record(tx, account, changed)


async def remove_tag(tx: Tx, account: AccountId, ids: Sequence[UUID], tag: str) -> list[UUID]:
    """Remove a tag from the account's files among these; return those that had it. Raises InvalidTag (422)."""
    changed = await tx.fetch_all(queries.REMOVE_TAG, account=account, ids=list(ids), tag=_tag(tag))
    return await _record(tx, account, changed)


def _tag(text: str) -> str:
    tags = tidy_tags([text])
    if len(tags) != 1:
        raise InvalidTag
    return tags[0]


async def _record(tx: Tx, account: AccountId, ids: list[UUID]) -> list[UUID]:
    for file in ids:
        await usage.record(tx, account, "file_changed", {"file_id": str(file)})
    return ids
