"""Media: rows, what programs see of a file, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal
from vetrina.media.links import FileFacts, Side

Digest: TypeAlias = bytes
"""A hash, as it is."""


class Category(StrEnum):
    """What a file is for; it fits the places where it may be used."""

    PRODUCT = "product_image"
    MODEL = "model_image"
    GENERATED = "generated_image"
    PROFILE = "profile_image"
    POST = "post_image"
    ALBUM = "album_image"


UPLOADED = tuple(each for each in Category if each is not Category.GENERATED)
"""The categories that people may upload to; generated pictures come from the studio alone."""


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is kept. `bytes` of the original; `thumbnails` by long side in pixels."""

    account_id: UUID
    id: UUID
    category: str
    file_name: str
    storage_key: str
    mime: str
    bytes: int
    width: int
    height: int
    colour: str
    thumbnails: dict[str, Any]
    is_public: bool
    tags: list[str]
    metadata: dict[str, Any]
    created_at: datetime

    def facts(self) -> FileFacts:
        """What its links need."""
        return FileFacts(
            id=self.id,
            file_name=self.file_name,
            mime=self.mime,
            width=self.width,
            height=self.height,
            colour=self.colour,
            thumbnails=msgspec.convert(self.thumbnails, dict[str, Side]),
            is_public=self.is_public,
        )


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A picture whose bytes are stored and whose row is not yet written."""

    account_id: UUID
    id: UUID
    storage_key: str
    sha256: Digest
    mime: str
    bytes: int
    width: int
    height: int
    colour: str
    thumbnails: Mapping[str, Side]


class Used(msgspec.Struct, frozen=True):
    """How many files of one category an account has, and how many bytes their originals take."""

    category: str
    files: int
    bytes: int


class Name(msgspec.Struct, frozen=True):
    """What a download is called."""

    file_name: str
    mime: str


class EmptyFile(Refusal):
    """The file is empty."""

    status = 422
    field = "file"


class FileMissing(Refusal):
    """Send the picture as the form's field "file", with its name."""

    status = 422
    field = "file"


class FileTooLarge(Refusal):
    """The file is larger than 25 MB."""

    status = 413
    field = "file"


class NotAPicture(Refusal):
    """This is not a picture that can be taken."""

    status = 415
    field = "file"


class BadDimensions(Refusal):
    """The picture has too many or too few pixels."""

    status = 422
    field = "file"


class DamagedPicture(Refusal):
    """The picture is damaged or incomplete. Save it again and retry."""

    status = 422
    field = "file"


class PictureTooHard(Refusal):
    """Reading this picture takes more time or memory than one picture may. Save it again in another program and retry."""

    status = 422
    field = "file"


class UnknownCategory(Refusal):
    """A picture is uploaded as product_image, model_image, profile_image, post_image or album_image."""

    status = 422
    constraint = "file_category_known"
    field = "category"


class BadFileName(Refusal):
    """A file's name has 1 to 255 characters."""

    status = 422
    constraint = "file_name_length"
    field = "file_name"


class TooManyTags(Refusal):
    """A picture has at most 30 tags."""

    status = 422
    constraint = "file_tags_few"
    field = "tags"


class BadTag(Refusal):
    """A tag has 1 to 40 characters and no comma."""

    status = 422
    constraint = "file_tags_short"
    field = "tags"
