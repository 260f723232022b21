"""Public pages of albums: the tab of a profile, an album, and the Atom feed (RFC 4287)."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get

from vetrina.core.database import paging
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.core.web import pages
from vetrina.core.web.paging import Cursor
from vetrina.core.web.public.link_preview import LinkPreview, absolute
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, QUIET, limited_by_address
from vetrina.media import links
from vetrina.media.albums import actions, presenters, queries
from vetrina.media.albums.model import AlbumFileRow, AlbumRow
from vetrina.media.files import picker
from vetrina.media.portraits.pages import header
from vetrina.media.share_cards import card_url
from vetrina.web.i18n import say

ALBUMS, PICTURES, FEED = 24, 36, 30
"""Albums and pictures of a page, and albums of a feed."""


@get("/@/{handle:str}/albums", include_in_schema=False)
async def profile_albums(request: Request, handle: str, cursor: Cursor = None) -> Response[Any]:
    """Show the public albums of a profile."""
    async with request.read() as tx:
        context = await header(request, tx, handle)
        if isinstance(context, str):
            return pages.redirect(f"{context}/albums")
        page = await paging.fetch(tx, queries.LIST, cursor, ALBUMS, account=context["profile_id"], open=True)
    services, href = request.services, f"{context['href']}/albums"
    albums = [presenters.card(services, row) for row in page.items]
    about = say("Albums by {name} on Vetrina.", name=context["title"])
    cover = next((card_url(services, row.account_id, presenters.cover(row)) for row in page.items if row.cover), None)
    preview = LinkPreview(title=context["title"], description=about, url=absolute(services, href), image=cover, kind="profile")
    structured = {
        "@context": "https://schema.org",
        "@type": "CollectionPage",
        "name": about,
        "url": absolute(services, href),
        "author": _author(services, context),
        "hasPart": [{"@type": "ImageGallery", "name": item["name"], "url": absolute(services, item["path"])} for item in albums],
    }
    return pages.render(
        request,
        "media/albums/profile_albums.html",
        **context,
        tab="albums",
        albums=albums,
        older=page.older(href),
        preview=preview,
        structured=structured,
    )


@get("/@/{handle:str}/albums/{slug:str}", include_in_schema=False)
async def profile_album(request: Request, handle: str, slug: str, cursor: Cursor = None) -> Response[Any]:
    """Show a public album with its public pictures."""
    async with request.read() as tx:
        context = await header(request, tx, handle)
        if isinstance(context, str):
            return pages.redirect(f"{context}/albums/{slug}")
        row = await tx.fetch_one(queries.BY_SLUG, account=context["profile_id"], slug=slug, open=True)
        rows, after = await actions.pictures(tx, row, presenters.position_of(cursor), PICTURES, visitor=True)
    services = request.services
    href = presenters.path(row) or context["href"]
    return pages.render(
        request,
        "media/albums/profile_album.html",
        **context,
        tab="albums",
        album=row,
        pictures=[_picture(services, item) for item in rows],
        older=f"{href}?{urlencode({'cursor': after})}" if after is not None else None,
        preview=LinkPreview(
            title=row.name,
            description=row.description[:200] or say("Albums by {name} on Vetrina.", name=context["title"]),
            url=absolute(services, href),
            image=card_url(services, row.account_id, presenters.cover(row)) if row.cover else None,
            image_alt=row.name,
            kind="article",
            published_at=row.published_at,
        ),
        structured=_structured(services, context, row, rows, href),
    )


@get(
    "/@/{handle:str}/albums.atom",
    include_in_schema=False,
    opt={**ANONYMOUS, **QUIET, **limited_by_address("sitemaps")},
)
async def atom(request: Request, handle: str) -> Response[str]:
    """Return an account's newest public albums as Atom."""
    async with request.read() as tx:
        context = await header(request, tx, handle)
        if isinstance(context, str):
            raise NotFound
        page = await paging.fetch(tx, queries.LIST, None, FEED, account=context["profile_id"], open=True)
    services, home = request.services, f"{context['href']}/albums"
    changed = max((row.updated_at for row in page.items), default=datetime(2026, 1, 1, tzinfo=UTC))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(absolute(services, home + '.atom'))}</id><title>{escape(context['title'])}</title>"
        f'<link href="{escape(absolute(services, home))}"/>'
        f'<link rel="self" href="{escape(absolute(services, home + ".atom"))}"/>'
        f"<author><name>{escape(context['title'])}</name></author><updated>{changed.isoformat()}</updated>\n"
        f"{''.join(_entry(services, row) for row in page.items)}</feed>\n"
    )
    return Response(text, media_type="application/atom+xml", headers={"Cache-Control": "public, max-age=300"})


def _entry(services: Services, row: AlbumRow) -> str:
    picture = ""
    if row.cover:
        cover = absolute(services, links.thumbnail_url(services, row.account_id, presenters.cover(row), links.THUMBNAIL))
        picture = f'<p><img src="{escape(cover)}" alt=""></p>'
    content = f"{picture}<p>{escape(row.description)}</p>" if row.description else picture
    return (
        f"<entry><id>urn:uuid:{row.id}</id><title>{escape(row.name)}</title>"
        f'<link href="{escape(absolute(services, presenters.path(row) or ""))}"/>'
        f"<published>{(row.published_at or row.created_at).isoformat()}</published>"
        f"<updated>{row.updated_at.isoformat()}</updated>"
        f'<content type="html">{escape(content)}</content></entry>\n'
    )


def _picture(services: Services, item: AlbumFileRow) -> dict[str, Any]:
    card = picker.to_card(services, item, size=links.THUMBNAIL)
    return {
        **card,
        "href": links.thumbnail_url(services, item.account_id, item.facts(), links.PREVIEW),
        "title": None,
        "by": None,
    }


def _author(services: Services, context: dict[str, Any]) -> dict[str, str]:
    kind = "Organization" if context["profile"].kind == "vendor" else "Person"
    return {"@type": kind, "name": context["title"], "url": absolute(services, context["href"])}


def _structured(
    services: Services, context: dict[str, Any], row: AlbumRow, rows: list[AlbumFileRow], href: str
) -> dict[str, Any]:
    """Return the album as schema.org's ImageGallery."""
    return {
        "@context": "https://schema.org",
        "@type": "ImageGallery",
        "name": row.name,
        "description": row.description,
        "url": absolute(services, href),
        "author": _author(services, context),
        "datePublished": (row.published_at or row.created_at).isoformat(),
        "dateModified": row.updated_at.isoformat(),
        "image": [
            {
                "@type": "ImageObject",
                "contentUrl": absolute(services, links.thumbnail_url(services, item.account_id, item.facts(), links.PREVIEW)),
                "thumbnailUrl": absolute(services, links.thumbnail_url(services, item.account_id, item.facts(), links.THUMBNAIL)),
                "width": item.width,
                "height": item.height,
                **({"keywords": ", ".join(item.tags)} if item.tags else {}),
            }
            for item in rows
        ],
    }


ROUTES: list[Any] = [profile_albums, profile_album, atom]
