"""URLs of images: `/media/{account}/{file}/{variant}`, signed and expiring unless the file is public.

No database access: links are created from a row, or from `media.facts` as JSON.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from vetrina.core.services import Services

LINK_SECONDS = 2 * 60 * 60
"""The shortest lifetime of a private image's link in seconds: long enough for a page that is scrolled later."""
ORIGINAL = "original"
THUMBNAIL, PREVIEW = 640, 1280
"""Long sides in pixels of images in a list (sharp on high-density screens) and of images that fill a page."""


class Side(msgspec.Struct, frozen=True):
    """The size of a thumbnail in pixels."""

    width: int
    height: int


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `media.facts`, as links and pages need them."""

    id: UUID
    file_name: str
    mime: str
    width: int
    height: int
    colour: str
    thumbnails: dict[str, Side]
    is_public: bool


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside another response.

    `dominant_color` is a placeholder until the image has loaded; URLs of a private file expire after two hours.
    """

    id: UUID
    url: str
    thumbnail_url: str
    preview_url: str
    width: int
    height: int
    colour: str = msgspec.field(name="dominant_color")
    mime: str
    file_name: str


def ref(services: Services, account_id: UUID, facts: FileFacts) -> FileRef:
    """Return the file with its URLs."""
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
    """Return the URL of the original."""
    return link(services, account_id, facts.id, ORIGINAL, is_public=facts.is_public)


def download_url(services: Services, account_id: UUID, facts: FileFacts) -> str:
    """Return the URL that downloads the original under its own name."""
    url = original_url(services, account_id, facts)
    return f"{url}{'&' if '?' in url else '?'}download=1"


def thumbnail_url(services: Services, account_id: UUID, facts: FileFacts, size: int) -> str:
    """Return the URL of the smallest thumbnail with a long side of at least `size` pixels.

    If there is none: of the largest thumbnail, or of the original.
    """
    return link(services, account_id, facts.id, variant_of(facts, size), is_public=facts.is_public)


def srcset(services: Services, account_id: UUID, facts: FileFacts) -> str:
    """Return HTML's `srcset` of the thumbnails up to 640 pixels, by their widths; "" if there are none."""
    sides = sorted((int(size), side.width) for size, side in facts.thumbnails.items() if int(size) <= 640)
    return ", ".join(
        f"{link(services, account_id, facts.id, str(size), is_public=facts.is_public)} {width}w" for size, width in sides
    )


def variant_of(facts: FileFacts, size: int) -> str:
    """Return the variant that `thumbnail_url` links to."""
    sizes = sorted(int(thumbnail) for thumbnail in facts.thumbnails)
    fitting = [item for item in sizes if item >= size] or sizes[-1:]
    return str(fitting[0]) if fitting else ORIGINAL


def link(services: Services, account_id: UUID, file_id: UUID, variant: str, *, is_public: bool = False) -> str:
    """Return the URL of a variant ("original", "320"); signed unless the file is public."""
    path = f"/media/{account_id}/{file_id}/{variant}"
    return path if is_public else f"{path}?{services.links.sign(path, LINK_SECONDS)}"
