"""Rows, categories and refusals of media."""

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
"""A SHA-256 hash."""


class Category(StrEnum):
    """The category of a file, which determines where it can be used."""

    PRODUCT = "product_image"
    MODEL = "model_image"
    GENERATED = "generated_image"
    PROFILE = "profile_image"
    POST = "post_image"
    ALBUM = "album_image"


UPLOADED = tuple(category for category in Category if category is not Category.GENERATED)
"""The categories of uploads; generated images come only from the studio."""


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of media.files. `bytes` is the original's size; `thumbnails` are keyed by long side in pixels."""

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
    takedown_reason: str | None
    created_at: datetime

    def facts(self) -> FileFacts:
        """Return the fields that its links need."""
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
    """An image whose bytes are stored and whose row is not yet written."""

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
    derived_bytes: int
    """Bytes of the thumbnails."""


class Unmeasured(msgspec.Struct, frozen=True):
    """A file of an earlier version, whose thumbnails are not counted yet."""

    account_id: UUID
    id: UUID
    storage_key: str
    thumbnails: dict[str, Any]


class Used(msgspec.Struct, frozen=True):
    """The number of an account's files in a category, and the bytes of their originals."""

    category: str
    files: int
    bytes: int


class Name(msgspec.Struct, frozen=True):
    """The name and type of a download."""

    file_name: str
    mime: str


class EmptyFile(Refusal):
    """The file is empty."""

    status = 422
    field = "file"


class FileMissing(Refusal):
    """Send the image in the form field "file", with its file name."""

    status = 422
    field = "file"


class FileTooLarge(Refusal):
    """The file is larger than 25 MB."""

    status = 413
    field = "file"


class UnsupportedImage(Refusal):
    """This is not a supported image format."""

    status = 415
    field = "file"


class InvalidDimensions(Refusal):
    """The image has too many or too few pixels."""

    status = 422
    field = "file"


class DamagedImage(Refusal):
    """The image is damaged or incomplete. Save it again and retry."""

    status = 422
    field = "file"


class ImageTooComplex(Refusal):
    """The image needs too much time or memory to decode. Save it with another program and retry."""

    status = 422
    field = "file"


class UnknownCategory(Refusal):
    """An upload's category is product_image, model_image, profile_image, post_image or album_image."""

    status = 422
    constraint = "file_category_known"
    field = "category"


class InvalidFileName(Refusal):
    """A file name needs 1 to 255 characters."""

    status = 422
    constraint = "file_name_length"
    field = "file_name"


class TooManyTags(Refusal):
    """An image can have at most 30 tags."""

    status = 422
    constraint = "file_tags_few"
    field = "tags"


class InvalidTag(Refusal):
    """A tag needs 1 to 40 characters and no comma."""

    status = 422
    constraint = "file_tags_short"
    field = "tags"


class ConfirmFirst(Refusal):
    """Confirm your e-mail address or phone number first; then your pictures can be public."""

    status = 403
    constraint = "public_file_of_a_confirmed_account"


class DailyUploadsUsedUp(Refusal):
    """The uploads of today are used up. New ones are free at midnight UTC."""

    status = 429
