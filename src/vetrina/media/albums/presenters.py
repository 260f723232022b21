"""What pages, feeds and the API show of albums."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.errors import Invalid, NotFound
from vetrina.core.services import Services
from vetrina.core.web.request import Request
from vetrina.media import links
from vetrina.media.albums import queries
from vetrina.media.albums.model import AlbumRow
from vetrina.media.links import FileFacts


async def require_open(request: Request, tx: Tx, account_id: UUID) -> None:
    """Raise NotFound (404) unless the caller may see this account's public pages."""
    if not await tx.fetch_optional(queries.OWNER_IS_OPEN, account=account_id):
        raise NotFound
    await request.require_visible(tx, account_id)


def path(row: AlbumRow) -> str | None:
    """Return the path of an album's public page; None if it has none."""
    return f"/@{row.handle}/albums/{quote(row.slug)}" if row.is_public and row.handle else None


def position_of(cursor: str | None) -> int | None:
    """Return the position of a cursor of pictures in an album. Raises Invalid (422)."""
    if not cursor:
        return None
    try:
        position = int(cursor)
    except ValueError:
        position = 2**63
    if not -(2**63) <= position < 2**63:
        raise Invalid("This cursor is not one of ours; leave it out to begin at the newest.")
    return position


def cover(row: AlbumRow) -> FileFacts:
    """Return the facts of an album's cover, which must not be null."""
    return msgspec.convert(row.cover, FileFacts)


def card(services: Services, row: AlbumRow) -> dict[str, Any]:
    """Return an album's card for lists."""
    picture = None
    if row.cover:
        facts = cover(row)
        picture = {
            "thumb_url": links.thumbnail_url(services, row.account_id, facts, links.THUMBNAIL),
            "width": facts.width,
            "height": facts.height,
            "colour": facts.colour,
            "alt": "",
        }
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "is_public": row.is_public,
        "image_count": row.image_count,
        "picture": picture,
        "path": path(row),
        "href": f"/albums/{row.id}",
    }
