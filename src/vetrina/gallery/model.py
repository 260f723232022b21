"""Rows and refusals of the gallery."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal

TITLE_LENGTH, BODY_LENGTH, ALT_LENGTH, COMMENT_LENGTH = 120, 4000, 1000, 2000
"""Characters, as the constraints have them."""
IMAGES_LIMIT = 10
"""Pictures of one post."""
TAGS_LIMIT = 20


class PostStatus(StrEnum):
    """Where a post is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Visibility(StrEnum):
    """Who may open a published post: anyone, approved followers, or anyone with its link."""

    PUBLIC = "public"
    FOLLOWERS = "followers"
    LINK = "link"


class PostRow(msgspec.Struct, frozen=True, kw_only=True):
    """A post with its author, counters and pictures (`gallery.images`)."""

    account_id: UUID
    id: UUID
    status: str
    visibility: str
    title: str
    body: str
    tags: list[str]
    wall_id: UUID | None
    published_at: datetime | None
    edited_at: datetime | None
    created_at: datetime
    author: str | None
    handle: str | None
    likes: int
    comments: int
    is_liked: bool
    images: list[dict[str, Any]]


class PostSubject(msgspec.Struct, frozen=True):
    """A post that messages are about; `id` is "account/post"."""

    id: str
    title: str


class CommentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A comment with its author."""

    account_id: UUID
    id: UUID
    post_account_id: UUID
    post_id: UUID
    parent_account_id: UUID | None
    parent_id: UUID | None
    body: str
    author: str | None
    handle: str | None
    created_at: datetime


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a list of followers."""

    id: UUID
    name: str | None
    handle: str | None
    is_approved: bool
    created_at: datetime


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """How the reader and another account stand, with the other's counters."""

    is_private: bool
    follows: bool
    requested: bool
    blocks: bool
    mutes: bool
    is_blocked: bool
    followers: int
    following: int


class TitleTooLong(Refusal):
    """Use up to 120 characters for the title."""

    status = 422
    constraint = "post_title_length"
    field = "title"


class TextTooLong(Refusal):
    """Use up to 4000 characters for the text."""

    status = 422
    constraint = "post_body_length"
    field = "body"


class TooManyTags(Refusal):
    """Use up to 20 tags."""

    status = 422
    constraint = "post_tags_few"
    field = "body"


class AltTextTooLong(Refusal):
    """Use up to 1000 characters to describe a picture."""

    status = 422
    constraint = "post_image_alt_length"
    field = "images"


class TooManyPictures(Refusal):
    """A post has up to 10 pictures."""

    status = 422
    constraint = "post_image_position_in_range"
    field = "images"


class PictureTwice(Refusal):
    """This picture is in the post already."""

    status = 422
    constraint = "post_image_shown_once"
    field = "images"


class UnknownPicture(Refusal):
    """One of these pictures is not in your library."""

    status = 422
    constraint = "post_image_is_own_file"
    field = "images"


class PostWithoutPictures(Refusal):
    """A post needs a picture before it is published."""

    status = 422
    field = "images"


class CommentLength(Refusal):
    """Write up to 2000 characters."""

    status = 422
    constraint = "comment_length"
    field = "body"


class NotYourself(Refusal):
    """You cannot follow yourself."""

    status = 422
    constraint = "not_following_oneself"


class NotBlockingYourself(Refusal):
    """You cannot block yourself."""

    status = 422
    constraint = "not_blocking_oneself"


class NotMutingYourself(Refusal):
    """You cannot mute yourself."""

    status = 422
    constraint = "not_muting_oneself"
