"""Addresses of pictures: `/media/{account}/{file}/{variant}`, signed and expiring unless the file is public.

Nothing here asks the database: whoever has a file's facts (a row, or `media.facts` as JSON) makes its links.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.core.services import Services

LINK_SECONDS = 2 * 60 * 60
"""How long a private picture's link is good, at least: long enough for a tab that is scrolled later."""
ORIGINAL = "original"
THUMBNAIL, PREVIEW = 640, 1280
"""Long sides, in pixels, of what stands in a list (sharp on a dense screen) and of what fills a page."""


class Side(msgspec.Struct, frozen=True):
    """A thumbnail's size, in pixels."""

    width: int
    height: int


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What links and pages need of a file: the fields of `media.facts`."""

    id: UUID
    file_name: str
    mime: str
    width: int
    height: int
    colour: str
    thumbnails: dict[str, Side]
    is_public: bool


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside another answer. `colour` shows until the picture has arrived; the addresses of a
    private file expire after two hours."""

    id: UUID
    url: str
    thumbnail_url: str
    preview_url: str
    width: int
    height: int
    colour: str
    mime: str
    file_name: str


def ref(services: Services, account_id: UUID, facts: FileFacts) -> FileRef:
    """The file with its addresses."""
    return FileRef(
        id=facts.id,
        url=original_url(services, account_id, facts),
        thumbnail_url=thumbnail_url(services, account_id, facts, THUMBNAIL),
        preview_url=thumbnail_url(services, account_id, facts, PREVIEW),
        width=facts.width,
        height=facts.height,
        colour=facts.colour,
        mime=facts.mime,
        file_name=facts.file_name,
    )


def original_url(services: Services, account_id: UUID, facts: FileFacts) -> str:
    """Where the whole picture is."""
    return link(services, account_id, facts.id, ORIGINAL, is_public=facts.is_public)


def download_url(services: Services, account_id: UUID, facts: FileFacts) -> str:
    """Where the whole picture is, to be saved under its own name."""
    url = original_url(services, account_id, facts)
    return f"{url}{'&' if '?' in url else '?'}download=1"


def thumbnail_url(services: Services, account_id: UUID, facts: FileFacts, size: int) -> str:
    """The smallest thumbnail whose long side has `size` pixels or more; else the largest; else the original."""
    sizes = sorted(int(each) for each in facts.thumbnails)
    fitting = [each for each in sizes if each >= size] or sizes[-1:]
    return link(services, account_id, facts.id, str(fitting[0]) if fitting else ORIGINAL, is_public=facts.is_public)


def link(services: Services, account_id: UUID, file_id: UUID, variant: str, *, is_public: bool = False) -> str:
    """The address of one variant ("original", "320"); signed unless everybody may see the file."""
    path = f"/media/{account_id}/{file_id}/{variant}"
    return path if is_public else f"{path}?{services.links.sign(path, LINK_SECONDS)}"
