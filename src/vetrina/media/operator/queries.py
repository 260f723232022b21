"""SQL of what operators look up."""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement


class FileHit(msgspec.Struct, frozen=True):
    """A file: its owner, name, category, and whether it is public."""

    account_id: UUID
    id: UUID
    file_name: str
    category: str
    is_public: bool


class CategoryCount(msgspec.Struct, frozen=True):
    """The files of one category: their number and bytes."""

    category: str
    files: int
    bytes: int


BY_ID = Statement(FileHit, "select account_id, id, file_name, category, is_public from media.files where id = %(id)s")
COUNTS = Statement(
    CategoryCount,
    """
    select category, count(*)::integer as files, coalesce(sum(bytes), 0)::bigint as bytes from media.files
     where account_id = %(account)s group by category order by category
    """,
)
