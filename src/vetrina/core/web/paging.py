"""Keyset pagination: `?limit=&cursor=` in, `{"items": [...], "next_cursor": ...}` out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

import msgspec
from litestar.params import Parameter

from vetrina.core.errors import Invalid

Item = TypeVar("Item")
Result = TypeVar("Result")

Limit = Annotated[int, Parameter(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[str | None, Parameter(max_length=64, description="next_cursor of the page before.")]

FIRST = UUID(int=2**128 - 1)
"""Sorts after every id: the newest page is what precedes it."""


class Page(msgspec.Struct, Generic[Item]):
    """One page; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None


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


def page(rows: Sequence[Item], limit: int, key: Callable[[Item], UUID], make: Callable[[Item], Result]) -> Page[Result]:
    """Return a page of up to `limit` rows, from a query for one more."""
    visible = rows[:limit]
    return Page([make(row) for row in visible], cursor_of(key(visible[-1])) if len(rows) > limit else None)
