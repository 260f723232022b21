"""What pages and the API show of conversations and messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId
from vetrina.core.module import Subject
from vetrina.core.services import Services
from vetrina.media.links import ORIGINAL, PREVIEW, THUMBNAIL, FileFacts, variant_of
from vetrina.messaging.model import ConversationRow, Kind, MessageRow, Status
from vetrina.web.i18n import say


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Another account in a conversation. An erased one has no name."""

    id: UUID
    name: str | None
    handle: str | None
    read_position: int


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation. Messages up to `read_position` are read; `last_change` is the number of the latest change in it."""

    id: UUID
    kind: Kind
    title: str
    status: Status
    people: list[Person]
    preview: str | None
    unread: int
    is_hidden: bool
    is_muted: bool
    read_position: int
    last_position: int
    last_change: int


class MessageImage(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a message; only participants can fetch it."""

    number: int
    url: str
    thumbnail_url: str
    preview_url: str
    width: int
    height: int
    dominant_color: str


class MessageSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is about; without title and address if the reader may not see it."""

    kind: str
    id: str
    title: str | None
    href: str | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message. `position` orders it in its conversation; `change` is the number of its latest change."""

    conversation_id: UUID
    position: int
    change: int
    account_id: UUID
    author: str | None
    handle: str | None
    is_own: bool
    body: str
    images: list[MessageImage]
    subject: MessageSubject | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


def conversation(row: ConversationRow) -> Conversation:
    """Return a conversation for the API."""
    return Conversation(
        id=row.id,
        kind=Kind(row.kind),
        title=title(row),
        status=Status(row.status),
        people=[
            Person(id=UUID(person["id"]), name=person["name"], handle=person["handle"], read_position=person["read_position"])
            for person in row.people
        ],
        preview=preview(row),
        unread=row.unread,
        is_hidden=row.is_hidden,
        is_muted=row.is_muted,
        read_position=row.read_position,
        last_position=row.last_position,
        last_change=row.last_change,
    )


def title(row: ConversationRow) -> str:
    """Return a group's name, or the names of the others."""
    if row.title:
        return row.title
    names = [name_of(person["name"]) for person in row.people[:4]]
    more = ["…"] if len(row.people) > 4 else []
    return ", ".join([*names, *more]) or say("Only you")


def name_of(name: str | None) -> str:
    """Return the name, or what stands for an erased account's."""
    return name or say("Deleted account")


def preview(row: ConversationRow) -> str | None:
    """Return the beginning of the last message; None if there is none."""
    if row.preview is None:
        return None
    if row.preview["is_deleted"]:
        return say("Message deleted")
    text = row.preview["body"] or say("Picture")
    return say("You: {text}", text=text) if row.preview["is_own"] else text


def last_written(row: ConversationRow) -> datetime | None:
    """Return when the last message was sent."""
    return datetime.fromisoformat(row.preview["created_at"]) if row.preview else None


def seen_by(row: ConversationRow) -> list[str]:
    """Return the names of those who have read the last message."""
    return [name_of(person["name"]) for person in row.people if 0 < row.last_position <= person["read_position"]]


async def messages(services: Services, tx: Tx, account: AccountId, rows: Sequence[MessageRow]) -> list[Message]:
    """Return messages for the API and the pages, with what they are about as the account may see it."""
    ids_by_kind: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.subject_kind and row.subject_id:
            ids_by_kind[row.subject_kind].append(row.subject_id)
    subjects: dict[tuple[str, str], Subject] = {}
    for kind, ids in ids_by_kind.items():
        if read := services.modules.message_subjects.get(kind):
            subjects |= {(kind, id_): subject for id_, subject in (await read(tx, account, ids)).items()}
    return [_message(row, account, subjects) for row in rows]


def sent_text(
    account: AccountId,
    conversation_id: UUID,
    body: str,
    position: int,
    created_at: datetime,
    author: str | None,
    handle: str | None,
) -> Message:
    """Return a message of text alone that the account has just sent, without reading it."""
    return Message(
        conversation_id=conversation_id,
        position=position,
        change=position,
        account_id=account,
        author=author,
        handle=handle,
        is_own=True,
        body=body.strip(),
        images=[],
        subject=None,
        created_at=created_at,
        edited_at=None,
        deleted_at=None,
    )


def _message(row: MessageRow, account: AccountId, subjects: dict[tuple[str, str], Subject]) -> Message:
    about = None
    if row.subject_kind and row.subject_id:
        subject = subjects.get((row.subject_kind, row.subject_id))
        about = MessageSubject(
            kind=row.subject_kind,
            id=row.subject_id,
            title=subject.title if subject else None,
            href=subject.href if subject else None,
        )
    return Message(
        conversation_id=row.conversation_id,
        position=row.position,
        change=row.change,
        account_id=row.account_id,
        author=row.author,
        handle=row.handle,
        is_own=row.account_id == account,
        body=row.body,
        images=[_image(row, image) for image in row.images],
        subject=about,
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
    )


def _image(row: MessageRow, image: dict[str, Any]) -> MessageImage:
    facts, number = msgspec.convert(image["file"], FileFacts), int(image["position"])
    path = f"/conversations/{row.conversation_id}/messages/{row.position}/images/{number}"
    return MessageImage(
        number=number,
        url=f"{path}/{ORIGINAL}",
        thumbnail_url=f"{path}/{variant_of(facts, THUMBNAIL)}",
        preview_url=f"{path}/{variant_of(facts, PREVIEW)}",
        width=facts.width,
        height=facts.height,
        dominant_color=facts.colour,
    )
