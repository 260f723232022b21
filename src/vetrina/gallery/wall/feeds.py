"""Feeds for readers of other programs: Atom (RFC 4287), JSON Feed 1.1, and oEmbed of a post."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get
from litestar.params import Parameter

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import read_id
from vetrina.core.errors import NotFound
from vetrina.core.web.public.link_preview import absolute
from vetrina.core.web.request import Request
from vetrina.core.web.route_options import ANONYMOUS, QUIET, limited_by_address
from vetrina.gallery import presenters
from vetrina.gallery.model import PostRow, PostStatus, Visibility
from vetrina.gallery.queries import ONE
from vetrina.gallery.wall import actions
from vetrina.media.portraits import queries as portraits
from vetrina.web.i18n import say

SIZE = 30
"""Posts of a feed."""
OPEN = {**ANONYMOUS, **QUIET, **limited_by_address("sitemaps")}
CACHE = {"Cache-Control": "public, max-age=300"}


@get("/feed.atom", include_in_schema=False, opt=OPEN)
async def atom(request: Request) -> Response[str]:
    """Return the newest public posts as Atom."""
    async with request.read() as tx:
        page = await actions.wall(tx, None, None, SIZE)
    return _atom(request, say("Public gallery"), "/explore", "/feed.atom", page.items)


@get("/feed.json", include_in_schema=False, opt=OPEN)
async def json_feed(request: Request) -> Response[bytes]:
    """Return the newest public posts as a JSON Feed."""
    async with request.read() as tx:
        page = await actions.wall(tx, None, None, SIZE)
    return _json(request, say("Public gallery"), "/explore", "/feed.json", page.items)


@get("/@/{handle:str}/feed.atom", include_in_schema=False, opt=OPEN)
async def profile_atom(request: Request, handle: str) -> Response[str]:
    """Return an account's newest public posts as Atom."""
    async with request.read() as tx:
        rows = await _of_handle(tx, handle)
    return _atom(request, f"@{handle}", f"/@{handle}/posts", f"/@{handle}/feed.atom", rows)


@get("/@/{handle:str}/feed.json", include_in_schema=False, opt=OPEN)
async def profile_json(request: Request, handle: str) -> Response[bytes]:
    """Return an account's newest public posts as a JSON Feed."""
    async with request.read() as tx:
        rows = await _of_handle(tx, handle)
    return _json(request, f"@{handle}", f"/@{handle}/posts", f"/@{handle}/feed.json", rows)


@get("/oembed", include_in_schema=False, opt=OPEN)
async def oembed(request: Request, url: Annotated[str, Parameter(max_length=500)]) -> Response[bytes]:
    """Return a public post's picture for embedding (oembed.com). 404 for an address of anything else."""
    parts = urlsplit(url).path.strip("/").split("/")
    account, post_id = (read_id(parts[1]), read_id(parts[2])) if len(parts) == 3 and parts[0] == "posts" else (None, None)
    async with request.read() as tx:
        row = await tx.fetch_optional(ONE, account=account, id=post_id, viewer=None)
    if row is None or not row.images or row.status != PostStatus.PUBLISHED or row.visibility != Visibility.PUBLIC:
        raise NotFound
    image = presenters.images(request.services, row)[0]
    answer = {
        "version": "1.0",
        "type": "photo",
        "title": presenters.title(row),
        "author_name": row.author,
        "author_url": absolute(request.services, f"/@{row.handle}") if row.handle else None,
        "provider_name": "Vetrina",
        "provider_url": absolute(request.services, "/"),
        "url": absolute(request.services, image["url"]),
        "width": image["width"],
        "height": image["height"],
    }
    return Response(msgspec.json.encode(answer), media_type="application/json", headers=CACHE)


async def _of_handle(tx: Tx, handle: str) -> list[PostRow]:
    profile = await tx.fetch_optional(portraits.PROFILE, handle=handle.lower())
    if profile is None:
        raise NotFound
    rows = (await actions.of_account(tx, None, profile.account_id, None, SIZE)).items
    return [row for row in rows if row.visibility == Visibility.PUBLIC]


def _atom(request: Request, title: str, page: str, own: str, rows: list[PostRow]) -> Response[str]:
    services = request.services
    changed = max((_changed(row) for row in rows), default=datetime(2026, 1, 1, tzinfo=UTC))
    entries = "".join(
        f"<entry><id>urn:uuid:{row.id}</id><title>{escape(presenters.title(row))}</title>"
        f'<link href="{escape(absolute(services, presenters.path(row)))}"/>'
        f"<published>{_published(row).isoformat()}</published><updated>{_changed(row).isoformat()}</updated>"
        f"<author><name>{escape(row.author or 'Vetrina')}</name></author>"
        f'<content type="html">{escape(_html(request, row))}</content></entry>\n'
        for row in rows
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(absolute(services, own))}</id><title>{escape(title)}</title>"
        f'<link href="{escape(absolute(services, page))}"/><link rel="self" href="{escape(absolute(services, own))}"/>'
        f"<updated>{changed.isoformat()}</updated>\n{entries}</feed>\n"
    )
    return Response(text, media_type="application/atom+xml", headers=CACHE)


def _json(request: Request, title: str, page: str, own: str, rows: list[PostRow]) -> Response[bytes]:
    services = request.services
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": absolute(services, page),
        "feed_url": absolute(services, own),
        "items": [
            {
                "id": f"urn:uuid:{row.id}",
                "url": absolute(services, presenters.path(row)),
                "title": presenters.title(row),
                "content_html": _html(request, row),
                "date_published": _published(row).isoformat(),
                "date_modified": _changed(row).isoformat(),
                "tags": row.tags,
                "authors": [{"name": row.author}] if row.author else [],
            }
            for row in rows
        ],
    }
    return Response(msgspec.json.encode(feed), media_type="application/feed+json", headers=CACHE)


def _html(request: Request, row: PostRow) -> str:
    image = next(iter(presenters.images(request.services, row)), None)
    picture = (
        f'<p><img src="{escape(absolute(request.services, image["url"]))}" alt="{escape(image["alt"])}"></p>' if image else ""
    )
    return f"{picture}<p>{escape(row.body)}</p>" if row.body else picture


def _published(row: PostRow) -> datetime:
    return row.published_at or row.created_at


def _changed(row: PostRow) -> datetime:
    return row.edited_at or _published(row)


ROUTES: list[Any] = [atom, json_feed, profile_atom, profile_json, oembed]
