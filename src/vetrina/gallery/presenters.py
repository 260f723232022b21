"""What pages and the API show of posts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.services import Services
from vetrina.core.web.public.link_preview import LinkPreview, absolute
from vetrina.gallery.model import PostRow, PostStatus, Visibility
from vetrina.media import links
from vetrina.media.files.names import alt_text
from vetrina.media.links import FileFacts, FileRef
from vetrina.media.share_cards import card_url
from vetrina.web.i18n import say


class PostImage(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a post; `generation_id` is the generation that made it."""

    file: FileRef
    alt: str
    generation_id: str | None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A post. `images` has only the first picture in lists."""

    account_id: UUID
    id: UUID
    status: PostStatus
    visibility: Visibility
    title: str
    body: str
    tags: list[str]
    published_at: datetime | None
    edited_at: datetime | None
    created_at: datetime
    author: str | None
    handle: str | None
    like_count: int
    comment_count: int
    is_liked: bool
    url: str
    images: list[PostImage]


def to_response(services: Services, row: PostRow) -> Post:
    """Return a post for the API."""
    return Post(
        account_id=row.account_id,
        id=row.id,
        status=PostStatus(row.status),
        visibility=Visibility(row.visibility),
        title=row.title,
        body=row.body,
        tags=row.tags,
        published_at=row.published_at,
        edited_at=row.edited_at,
        created_at=row.created_at,
        author=row.author,
        handle=row.handle,
        like_count=row.likes,
        comment_count=row.comments,
        is_liked=row.is_liked,
        url=absolute(services, path(row)),
        images=[
            PostImage(
                file=links.ref(services, row.account_id, msgspec.convert(image["file"], FileFacts)),
                alt=image["alt"],
                generation_id=image["generation_id"],
            )
            for image in row.images
        ],
    )


def path(row: PostRow) -> str:
    """Return the path of a post's page."""
    return f"/posts/{row.account_id}/{row.id}"


def title(row: PostRow) -> str:
    """Return the title, or words in place of one."""
    return row.title or (say("A post by {name}", name=row.author) if row.author else say("A post"))


def images(services: Services, row: PostRow) -> list[dict[str, Any]]:
    """Return the template data of a post's pictures."""
    result: list[dict[str, Any]] = []
    for image in row.images:
        facts = msgspec.convert(image["file"], FileFacts)
        generation = image["generation_id"]
        result.append(
            {
                "id": facts.id,
                "thumb_url": links.thumbnail_url(services, row.account_id, facts, links.THUMBNAIL),
                "url": links.thumbnail_url(services, row.account_id, facts, links.PREVIEW),
                "width": facts.width,
                "height": facts.height,
                "colour": facts.colour,
                "alt": image["alt"] or row.title or alt_text(facts.file_name),
                "described": image["alt"],
                "is_public": facts.is_public,
                "report_href": f"/report/{row.account_id}/{facts.id}" if facts.is_public else None,
                "made_href": services.modules.link("picture", account=row.account_id, id=generation)
                if generation and facts.is_public
                else None,
            }
        )
    return result


def card(services: Services, row: PostRow) -> dict[str, Any] | None:
    """Return a post's card for a wall; None for a post without a picture to show."""
    first = next(iter(images(services, row)), None)
    if first is None:
        return None
    return {
        **first,
        "href": path(row),
        "title": row.title,
        "by": row.author,
        "by_href": f"/@{row.handle}" if row.handle else None,
        "likes": row.likes,
        "comments": row.comments,
        "status": row.status,
        "visibility": row.visibility,
        "file_id": first["id"],
        "id": row.id,
    }


def cards(services: Services, rows: list[PostRow]) -> list[dict[str, Any]]:
    """Return the cards of the posts that have a picture to show."""
    return [item for row in rows if (item := card(services, row)) is not None]


def link_preview(services: Services, row: PostRow) -> LinkPreview | None:
    """Return what a shared link to a post shows; None for one that is not public."""
    if row.status != PostStatus.PUBLISHED or row.visibility != Visibility.PUBLIC or not row.images:
        return None
    return LinkPreview(
        title=title(row),
        description=row.body[:200] or title(row),
        url=absolute(services, path(row)),
        image=card_url(services, row.account_id, msgspec.convert(row.images[0]["file"], FileFacts)),
        image_alt=row.images[0]["alt"] or title(row),
        kind="article",
        published_at=row.published_at,
    )
