"""Cursor pages: each row once at any size; an invalid cursor is refused."""

from __future__ import annotations

from uuid import UUID

import pytest

from vetrina.core.database.ids import new_id
from vetrina.core.errors import Invalid
from vetrina.core.web.paging import FIRST, after, cursor_of, page

ROWS = sorted((new_id() for _ in range(23)), reverse=True)


def same(row: UUID) -> UUID:
    """Return the row, which is its own key and its own item."""
    return row


@pytest.mark.parametrize("limit", [1, 7, 22, 23, 24, 100])
def test_pages_show_each_row_once(limit: int) -> None:
    seen: list[UUID] = []
    cursor: str | None = None
    for _ in range(30):
        before = after(cursor)
        rows = [row for row in ROWS if row < before][: limit + 1]
        displayed = page(rows, limit, same, same)
        assert len(displayed.items) <= limit
        seen += displayed.items
        cursor = displayed.next_cursor
        if cursor is None:
            break
    assert seen == ROWS


def test_empty_list_is_one_empty_page() -> None:
    assert page([], 5, same, same).next_cursor is None


def test_cursor_round_trips() -> None:
    row = new_id()
    assert after(cursor_of(row)) == row
    assert after(None) == after("") == FIRST


@pytest.mark.parametrize("bad", ["***", "AAAA", "é", "A" * 22 + "A" * 10, "=" * 8, "\0"])
def test_invalid_cursor_is_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        after(bad)
