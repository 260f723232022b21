"""robots.txt, sitemaps, security.txt (RFC 9116) and the icon that browsers request by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import MediaType, Response, get
from litestar.response import Redirect

from vetrina.core import site_settings
from vetrina.core.errors import NotFound
from vetrina.core.web import pages
from vetrina.core.web.public import sitemap
from vetrina.core.web.public.link_preview import absolute
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, QUIET, limited_by_address
from vetrina.web import static
from vetrina.web.i18n import LANGUAGES

HOUR = {"Cache-Control": "public, max-age=3600"}
EXPIRES_DAYS = 180
"""Days that security.txt is valid; RFC 9116 recommends less than a year."""
LIMITED = {**ANONYMOUS, **QUIET, **limited_by_address("sitemaps")}


@get("/robots.txt", include_in_schema=False, opt={**ANONYMOUS, **QUIET}, media_type=MediaType.TEXT, sync_to_thread=False)
def robots(request: Request) -> Response[str]:
    """Keep crawlers out of pages that need an account, and name the sitemap. The longest match decides (RFC 9309, 2.2.2)."""
    modules = request.services.modules
    private = sorted({"/api/v1/", *modules.private_paths})
    public = ["/", *modules.public_prefixes]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in private), *(f"Allow: {path}" for path in public), ""]
    return Response("\n".join([*lines, f"Sitemap: {absolute(request.services, '/sitemap.xml')}", ""]), headers=HOUR)


@get("/sitemap.xml", include_in_schema=False, opt=LIMITED)
async def sitemap_index(request: Request) -> Response[str]:
    """Return the index of sitemaps."""
    services = request.services
    addresses = [absolute(services, "/sitemaps/pages.xml")]
    async with request.read() as tx:
        for source in services.modules.sitemaps.values():
            starts = await tx.fetch_all(source.starts, size=sitemap.SIZE, limit=sitemap.PAGES)
            addresses += [absolute(services, f"/sitemaps/{source.name}/{first}.xml") for first in starts]
    return _xml(sitemap.index(addresses))


@get("/sitemaps/pages.xml", include_in_schema=False, opt=LIMITED, sync_to_thread=False)
def sitemap_of_pages(request: Request) -> Response[str]:
    """Return the sitemap of single pages: the start page and what the footer links to."""
    paths = dict.fromkeys(["/", *(link.href for link in pages.footer_links(request.services))])
    return _xml(sitemap.url_set((absolute(request.services, path), None) for path in paths))


@get("/sitemaps/{name:str}/{first:str}", include_in_schema=False, opt=LIMITED)
async def sitemap_page(request: Request, name: str, first: str) -> Response[str]:
    """Return one page of a module's sitemap."""
    services = request.services
    source, start = services.modules.sitemaps.get(name), _id(first.removesuffix(".xml"))
    if source is None or start is None:
        raise NotFound
    async with request.read() as tx:
        rows = await tx.fetch_all(source.rows, first=start, size=sitemap.SIZE)
    return _xml(sitemap.url_set((absolute(services, row.path), row.changed_at) for row in rows))


@get("/.well-known/security.txt", include_in_schema=False, opt={**ANONYMOUS, **QUIET})
async def security_txt(request: Request) -> Response[str]:
    """Return where to report a vulnerability; 404 until the operator sets `site.security_contact`."""
    async with request.read() as tx:
        contact = await tx.fetch_optional(site_settings.SECURITY_CONTACT)
    if not contact:
        raise NotFound
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=EXPIRES_DAYS)
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(LANGUAGES)}",
        f"Canonical: {absolute(request.services, '/.well-known/security.txt')}",
    ]
    return Response("\n".join([*lines, ""]), media_type=MediaType.TEXT, headers=HOUR)


@get("/favicon.ico", include_in_schema=False, opt={**ANONYMOUS, **QUIET}, sync_to_thread=False)
def favicon() -> Redirect:
    """Redirect to the icon, for programs that read no page."""
    return Redirect(static("img/favicon.ico"), status_code=302)


def _xml(text: str) -> Response[str]:
    return Response(text, media_type="application/xml", headers=HOUR)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


ROUTES: list[Any] = [robots, sitemap_index, sitemap_of_pages, sitemap_page, security_txt, favicon]
