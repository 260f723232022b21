"""Every page is one that axe-core looks at: a new route has a row in tests/scenarios/pages.py."""

from __future__ import annotations

from tests.scenarios.pages import NOT_PAGES, PAGES, routes


def test_every_page_is_listed() -> None:
    listed = PAGES.keys() | NOT_PAGES
    missing = sorted(routes() - listed)
    assert missing == [], f"list these in tests/scenarios/pages.py, with an address that shows something: {missing}"
    assert sorted(listed - routes()) == [], "these are no routes any more"
    assert PAGES.keys() & NOT_PAGES == set()
