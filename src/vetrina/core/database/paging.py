"""Keyset pagination: `?limit=&cursor=` in, `{"items": [...], "next_cursor": ...}` out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement, Tx
from vetrina.core.errors import Invalid

Item = TypeVar("Item")
Row = TypeVar("Row")
Result = TypeVar("Result")

FIRST = UUID(int=2**128 - 1)
"""Sorts after every id: the newest page is what precedes it."""


class Page(msgspec.Struct, Generic[Item]):
    """One page; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None

    def map(self, convert: Callable[[Item], Result]) -> Page[Result]:
        """Return the page with each item converted."""
        return Page([convert(item) for item in self.items], self.next_cursor)

    def older(self, path: str, filters: Mapping[str, object] | None = None) -> str | None:
        """Return the address of the next page, with the filters that are set; None on the last page."""
        if self.next_cursor is None:
            return None
        query = {**(filters or {}), "cursor": self.next_cursor}
        return f"{path}?{urlencode({name: value for name, value in query.items() if value})}"


def after(cursor: str | None) -> UUID:
    """Return the id of a cursor. Raises Invalid (422) for an invalid one."""
    if not cursor:
        return FIRST
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except ValueError:
        raise Invalid("This cursor is not one of ours; leave it out to begin at the newest.") from None


def cursor_of(row_id: UUID) -> str:
    """Return the cursor for the rows after this one."""
    return base64.urlsafe_b64encode(row_id.bytes).decode().rstrip("=")


async def fetch(
    tx: Tx,
    statement: Statement[Row],
    cursor: str | None,
    limit: int,
    *,
    key: Callable[[Row], UUID] | None = None,
    **arguments: Any,
) -> Page[Row]:
    """Return up to `limit` rows of a statement that takes `before` and `limit`, starting after `cursor`.

    `key` returns the id that the statement sorts by, by default `row.id`. Raises Invalid (422) for an invalid cursor.
    """
    rows = await tx.fetch_all(statement, before=after(cursor), limit=limit + 1, **arguments)
    return split(rows, limit, lambda row: cursor_of(key(row) if key else row.id))


def split(rows: Sequence[Any], limit: int, cursor: Callable[[Any], str]) -> Page[Any]:
    """Return a page of up to `limit` rows, from a query for one more."""
    return Page(list(rows[:limit]), cursor(rows[limit - 1]) if len(rows) > limit else None)
