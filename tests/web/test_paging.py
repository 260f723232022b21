"""Cursor pages: each row once at any size; an invalid cursor is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.rules.code import SOURCE, trees
from vetrina.core import audit
from vetrina.core.database.connection import Database
from vetrina.core.database.ids import new_id
from vetrina.core.database.paging import FIRST, Page, after, cursor_of, fetch, split
from vetrina.core.errors import Invalid

ROWS = sorted((new_id() for _ in range(23)), reverse=True)


@pytest.mark.parametrize("limit", [1, 7, 22, 23, 24, 100])
def test_pages_show_every_row_once(limit: int) -> None:
    seen: list[UUID] = []
    cursor: str | None = None
    for _ in range(30):
        before = after(cursor)
        rows = [row for row in ROWS if row < before][: limit + 1]
        page: Page[UUID] = split(rows, limit, cursor_of)
        assert len(page.items) <= limit
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ROWS


def test_empty_list_is_one_empty_page() -> None:
    assert split([], 5, cursor_of) == Page([], None)


def test_cursor_round_trips() -> None:
    row = new_id()
    assert after(cursor_of(row)) == row
    assert after(None) == after("") == FIRST


@pytest.mark.parametrize("bad", ["***", "AAAA", "é", "A" * 22 + "A" * 10, "=" * 8, "\0"])
def test_invalid_cursor_is_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        after(bad)


def id_of(row: audit.Row) -> UUID:
    """Return the id that the log is paged by."""
    return row.id


@pytest.mark.parametrize("key", [None, id_of])
async def test_fetch_returns_pages_of_a_statement(db: Database, key: Callable[[audit.Row], UUID] | None) -> None:
    numbers: list[int] = []
    cursor: str | None = None
    pages = 0
    async with db.tx() as tx:
        for number in range(18):
            await audit.record(tx, "even" if number % 2 == 0 else "odd", None, metadata={"number": number})
    async with db.read() as tx:
        while pages == 0 or cursor:
            page = await fetch(tx, audit.LIST, cursor, 4, key=key, account=audit.SITE_CHAIN, action="even")
            numbers += page.map(lambda row: row.metadata["number"]).items
            cursor, pages = page.next_cursor, pages + 1
        with pytest.raises(Invalid):
            await fetch(tx, audit.LIST, "***", 4, account=audit.SITE_CHAIN, action=None)
    assert numbers == list(range(16, -1, -2)) and pages == 3


def test_address_of_the_next_page_keeps_the_filters_that_are_set() -> None:
    page = Page([1], "abc")
    assert page.older("/payments") == "/payments?cursor=abc"
    assert page.older("/payments", {"q": "a b&c", "state": "", "kind": None}) == "/payments?q=a+b%26c&cursor=abc"
    assert Page([1], None).older("/payments", {"q": "a"}) is None


def test_one_function_and_one_macro_build_pages() -> None:
    """No route asks for one row more itself, except where rows are not sorted by an id; no template writes the link itself."""
    own_order = {
        "core/database/paging.py", "media/albums/actions.py", "messaging/messages/actions.py", "payments/webhooks/pages.py",
        "reports/api.py", "reports/members/pages.py",
    }  # fmt: skip
    one_more = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "limit" and re.fullmatch(r"\w+ \+ 1", ast.unparse(node.value))
    }
    assert one_more == own_order
    links = [path for path in SOURCE.rglob("*.html") if 'class="more"' in path.read_text()]
    assert [path.name for path in links] == ["parts.html"]
