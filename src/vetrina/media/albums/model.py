"""Rows and refusals of albums."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal
from vetrina.media.model import FileRow

NAME_LENGTH, DESCRIPTION_LENGTH = 120, 4000
FILES_AT_ONCE = 500
"""Pictures that one request adds, moves, changes or removes."""


class AlbumRow(msgspec.Struct, frozen=True, kw_only=True):
    """An album. `cover` is `media.facts` of the chosen cover or of the first picture; `handle` its owner's."""

    account_id: UUID
    id: UUID
    slug: str
    name: str
    description: str
    is_public: bool
    image_count: int
    cover: dict[str, Any] | None
    cover_file_id: UUID | None
    handle: str | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Placed(msgspec.Struct, frozen=True):
    """A picture at its position in an album."""

    file_id: UUID
    position: int


class AlbumFileRow(FileRow, frozen=True, kw_only=True):
    """A file in an album. The neighbours serve the buttons that move it by one place; they are null at the ends."""

    position: int
    previous_id: UUID | None
    after_next_id: UUID | None
    is_last: bool


class NoBusiness(Refusal):
    """Albums belong to a business. Fill in your business profile first."""

    status = 403


class AlbumNameLength(Refusal):
    """An album's name needs 1 to 120 characters."""

    status = 422
    constraint = "album_name_length"
    field = "name"


class AlbumDescriptionTooLong(Refusal):
    """An album's description can have at most 4,000 characters."""

    status = 422
    constraint = "album_description_length"
    field = "description"


class CoverNotInAlbum(Refusal):
    """The cover is a picture of the album."""

    status = 422
    constraint = "album_cover_is_in_album"
    field = "cover_file_id"


class PictureNotInAlbum(Refusal):
    """This picture is not in the album. Reload the page."""

    status = 409
