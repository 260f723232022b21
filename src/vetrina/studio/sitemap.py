"""Public pictures in the sitemap."""

from __future__ import annotations

from vetrina.core.web.public.sitemap import SitemapSource
from vetrina.studio import queries

SITEMAP = SitemapSource("pictures", queries.SITEMAP_STARTS, queries.SITEMAP_ROWS)
