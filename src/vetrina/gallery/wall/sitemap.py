"""Public posts in the sitemap."""

from __future__ import annotations

from vetrina.core.web.public.sitemap import SitemapSource
from vetrina.gallery.wall import queries

SITEMAP = SitemapSource("posts", queries.SITEMAP_STARTS, queries.SITEMAP_ROWS)
