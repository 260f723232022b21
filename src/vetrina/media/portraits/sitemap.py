"""Profiles with public pictures in the sitemap."""

from __future__ import annotations

from vetrina.core.web.public.sitemap import SitemapSource
from vetrina.media.portraits import queries

SITEMAP = SitemapSource("profiles", queries.SITEMAP_STARTS, queries.SITEMAP_ROWS)
