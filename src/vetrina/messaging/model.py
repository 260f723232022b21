"""Rows and refusals of messaging."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.errors import Refusal

BODY_LENGTH, TITLE_LENGTH = 4000, 80
"""Characters, as the constraints have them."""
IMAGES_LIMIT = 10
"""Pictures of one message."""
PARTICIPANTS_LIMIT = 50
"""Accounts in a group, with the one that started it."""
EDIT_SECONDS = 15 * 60
"""Seconds in which one's own message can be edited."""
DELETE_SECONDS = 2 * 24 * 3600
"""Seconds in which one's own message can be deleted for everyone."""


class Kind(StrEnum):
    """Kinds of conversations."""

    DIRECT = "direct"
    GROUP = "group"


class Status(StrEnum):
    """An account's place in a conversation."""

    ACTIVE = "active"
    REQUESTED = "requested"
    DECLINED = "declined"
    LEFT = "left"


class Box(StrEnum):
    """Lists of conversations."""

    INBOX = "inbox"
    REQUESTS = "requests"
    HIDDEN = "hidden"


class ConversationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as one participant has it. `people` are the others: id, name, handle, is_open, read_position."""

    id: UUID
    account_id: UUID
    kind: str
    title: str
    status: str
    last_change: int
    last_position: int
    read_position: int
    from_position: int
    unread: int
    is_hidden: bool
    is_muted: bool
    sort_id: UUID | None
    people: list[dict[str, Any]]
    preview: dict[str, Any] | None


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message. `images` are those of its pictures that are still there: position and `media.facts`."""

    account_id: UUID
    id: UUID
    conversation_id: UUID
    position: int
    change: int
    body: str
    subject_kind: str | None
    subject_id: str | None
    author: str | None
    handle: str | None
    images: list[dict[str, Any]]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


class ImageFile(msgspec.Struct, frozen=True):
    """The file of a message's picture."""

    account_id: UUID
    file_id: UUID


class EmptyMessage(Refusal):
    """Write something or add a picture."""

    status = 422
    field = "body"


class MessageLength(Refusal):
    """Write up to 4000 characters."""

    status = 422
    constraint = "message_length"
    field = "body"


class TooManyImages(Refusal):
    """A message has up to 10 pictures."""

    status = 422
    constraint = "message_image_position_in_range"
    field = "images"


class UnknownImage(Refusal):
    """One of these pictures is not in your library."""

    status = 422
    constraint = "message_image_is_own_file"
    field = "images"


class UnknownSubject(Refusal):
    """What this message is about is not here."""

    status = 422
    field = "subject"


class ConversationTitleLength(Refusal):
    """Use up to 80 characters for the name."""

    status = 422
    constraint = "conversation_title_length"
    field = "title"


class UnknownPerson(Refusal):
    """One of these accounts is not here, or cannot be written to."""

    status = 422
    field = "to"


class TooManyParticipants(Refusal):
    """A group has up to 50 people."""

    status = 422
    constraint = "conversation_participants_few"
    field = "to"


class NotAGroup(Refusal):
    """People are added to groups. Start a new one."""

    status = 409


class RequestPending(Refusal):
    """This account does not follow you. Until your request is accepted you can send three messages of text."""

    status = 403
    field = "body"


class AccountUnreachable(Refusal):
    """This account no longer receives messages."""

    status = 403
    field = "body"


class EditTooLate(Refusal):
    """A message can be edited for 15 minutes."""

    status = 409
    field = "body"


class DeleteTooLate(Refusal):
    """A message can be deleted for everyone for two days."""

    status = 409
