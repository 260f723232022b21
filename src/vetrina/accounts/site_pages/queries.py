"""SQL of the operator's pages."""

from __future__ import annotations

from types import NoneType

from vetrina.accounts.site_pages.model import SitePageKey, SitePageRow
from vetrina.core.database.connection import Statement

KEYS = Statement(SitePageKey, "select name, language from accounts.site_pages")
ALL = Statement(SitePageRow, "select name, language, body, updated_at from accounts.site_pages order by name, language")
LANGUAGES_OF = Statement(
    SitePageRow, "select name, language, body, updated_at from accounts.site_pages where name = %(name)s order by language"
)
PUT = Statement(
    NoneType,
    """
    insert into accounts.site_pages as p (name, language, body) values (%(name)s, %(language)s, %(body)s)
    on conflict (name, language) do update set body = excluded.body where p.body <> excluded.body
    """,
)
REMOVE = Statement(NoneType, "delete from accounts.site_pages where name = %(name)s and language = %(language)s")
