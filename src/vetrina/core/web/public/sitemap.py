"""Sitemaps (sitemaps.org): an index of pages of public things, each module's own source, newest last.

A source walks an index of its table by id and lists at most SIZE things a page, so that neither memory nor time grows with
the number of things.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec

from vetrina.core.database.connection import Statement

SIZE = 5_000
"""Things on one page of a sitemap; the protocol allows 50,000 and 50 MB."""
PAGES = 45_000
"""Pages of one source in the index, which may list 50,000."""
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


class SitemapRow(msgspec.Struct, frozen=True):
    """A public thing: its path on this site and when it changed."""

    path: str
    changed_at: datetime


@dataclass(frozen=True)
class SitemapSource:
    """Public things of a module. A file that `Module.sitemaps` names defines one as SITEMAP."""

    name: str
    starts: Statement[UUID]
    """The first id of every page, with the parameters `size` and `limit` (the number of pages)."""
    rows: Statement[SitemapRow]
    """The public ones among the `size` things from the id `first` on."""


def index(addresses: Iterable[str]) -> str:
    """Return the index of the sitemaps at these addresses."""
    body = "".join(f"<sitemap><loc>{escape(address)}</loc></sitemap>\n" for address in addresses)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="{_SCHEMA}">\n{body}</sitemapindex>\n'


def url_set(entries: Iterable[tuple[str, datetime | None]]) -> str:
    """Return a sitemap of addresses with the times of their last change."""
    body = "".join(
        f"<url><loc>{escape(address)}</loc>{f'<lastmod>{changed_at.isoformat()}</lastmod>' if changed_at else ''}</url>\n"
        for address, changed_at in entries
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SCHEMA}">\n{body}</urlset>\n'
