"""Actions on messages: send, edit, delete, mark as read, read, search."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core import errors
from vetrina.core.database.batching import Coalescer
from vetrina.core.database.connection import Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.database.paging import Page, split
from vetrina.core.errors import Invalid, NotFound
from vetrina.core.services import Services
from vetrina.messaging.messages import queries
from vetrina.messaging.model import (
    BODY_LENGTH,
    DELETE_SECONDS,
    EDIT_SECONDS,
    IMAGES_LIMIT,
    DeleteTooLate,
    EditTooLate,
    EmptyMessage,
    MessageLength,
    MessageRow,
    TooManyImages,
    UnknownSubject,
)

NEWEST = 2**62
"""Comes after every position."""
CATCH_UP = 200
"""Changes that are read at once by a reader that catches up."""


class SubjectRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a message is about, such as ("post", "account/post")."""

    kind: str
    id: str


class MessageRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to send: a text, pictures of the sender's library, or both."""

    body: str = ""
    file_ids: list[UUID] = []
    subject: SubjectRequest | None = None


class Item(NamedTuple):
    """A message for the batch."""

    account_id: UUID
    conversation_id: UUID
    id: UUID
    sort_id: UUID
    body: str
    hash: str
    file_ids: list[UUID]
    subject_kind: str | None
    subject_id: str | None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was sent. `created_at` is none if it was sent before with the same key."""

    position: int
    created_at: datetime | None = None
    author: str | None = None
    handle: str | None = None


class SendBatcher(Coalescer[Item, dict[str, Any]]):
    """Writes messages that are sent together in one statement."""

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the batcher."""

        async def run(items: list[Item]) -> list[dict[str, Any]]:
            rows = [msgspec.to_builtins(item._asdict()) for item in items]
            async with services.db.read() as tx:
                return await tx.fetch_all(queries.SEND_MANY, items=Jsonb(rows))

        # Sorted by the conversation alone: messages of one conversation stay in the order in which they came.
        return cls(run, order=lambda item: item.conversation_id)


async def send(
    services: Services, account: AccountId, conversation: UUID, message: MessageRequest, *, key: str | None = None
) -> Sent:
    """Send a message. The same Idempotency-Key returns the same message.

    Raises EmptyMessage, MessageLength, TooManyImages, UnknownImage, UnknownSubject, KeyReused (422), NotFound (404),
    RequestPending, AccountUnreachable (403).
    """
    body, files, subject = message.body.strip(), list(dict.fromkeys(message.file_ids)), message.subject
    _check(body, files)
    if subject is not None:
        async with services.db.read() as tx:
            await _check_subject(services, tx, account, subject)
    content = msgspec.json.encode((conversation, body, files, subject), order="deterministic")
    answer = await services.get(SendBatcher)(
        Item(
            account,
            conversation,
            new_id() if key is None else _id_of(account, key),
            new_id(),
            body,
            hashlib.sha256(content).hexdigest(),
            files,
            subject.kind if subject else None,
            subject.id if subject else None,
        )
    )
    if refused := answer.get("refused"):
        raise errors.for_code(refused)
    return msgspec.convert(answer, Sent)


async def edit(tx: Tx, account: AccountId, conversation: UUID, position: int, body: str) -> None:
    """Change the text of one's own message. Raises EmptyMessage, MessageLength (422), NotFound (404), EditTooLate (409)."""
    body = body.strip()
    _check(body, [])
    await _change(tx, account, conversation, position, body)


async def delete(tx: Tx, account: AccountId, conversation: UUID, position: int) -> None:
    """Delete one's own message for everyone. Raises NotFound (404), DeleteTooLate (409)."""
    await _change(tx, account, conversation, position, None)


async def mark_read(tx: Tx, account: AccountId, conversation: UUID, position: int) -> None:
    """Mark messages up to a position as read. Raises NotFound (404)."""
    if not await tx.fetch_one(queries.MARK_READ, account=account, id=conversation, position=position):
        raise NotFound


async def page(tx: Tx, account: AccountId, conversation: UUID, cursor: str | None, limit: int) -> Page[MessageRow]:
    """Return messages, the newest first. Raises Invalid (422) for an invalid cursor. Empty if the account takes no part."""
    before = NEWEST if not cursor else _number(cursor)
    rows = await tx.fetch_all(queries.BEFORE, account=account, id=conversation, before=before, limit=limit + 1)
    return split(rows, limit, lambda row: str(row.position))


async def changes(tx: Tx, account: AccountId, conversation: UUID, after: int, limit: int = CATCH_UP) -> list[MessageRow]:
    """Return messages sent, edited or deleted after a change, in that order. Empty if the account takes no part."""
    return await tx.fetch_all(queries.AFTER_CHANGE, account=account, id=conversation, change=after, limit=limit)


async def search(tx: Tx, account: AccountId, text: str, limit: int) -> list[MessageRow]:
    """Return messages of the account's conversations that contain every word of a text, the newest first."""
    words = re.findall(r"\w+", await tx.fetch_one(queries.SEARCHABLE, text=text[:200]))
    if not words:
        return []
    return await tx.fetch_all(
        queries.SEARCH,
        account=account,
        query=" & ".join(f"{word}:*" for word in words),
        patterns=["%" + word.replace("_", "\\_") + "%" for word in words],
        limit=limit,
    )


def _id_of(account: UUID, key: str) -> UUID:
    """Return the id of the message with a key: version 8 of RFC 9562, from the account and the key."""
    digest = bytearray(hashlib.sha256(account.bytes + key.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


def check(message: MessageRequest) -> None:
    """Refuse what `send` refuses of a message by itself. Raises EmptyMessage, MessageLength, TooManyImages (422)."""
    _check(message.body.strip(), message.file_ids)


def _check(body: str, files: Sequence[UUID]) -> None:
    if not body and not files:
        raise EmptyMessage
    if len(body) > BODY_LENGTH:
        raise MessageLength
    if len(files) > IMAGES_LIMIT:
        raise TooManyImages


async def _check_subject(services: Services, tx: Tx, account: AccountId, subject: SubjectRequest) -> None:
    read = services.modules.message_subjects.get(subject.kind)
    if read is None or subject.id not in await read(tx, account, [subject.id]):
        raise UnknownSubject


async def _change(tx: Tx, account: AccountId, conversation: UUID, position: int, body: str | None) -> None:
    seconds = DELETE_SECONDS if body is None else EDIT_SECONDS
    outcome = await tx.fetch_one(queries.CHANGE, account=account, id=conversation, position=position, body=body, seconds=seconds)
    if outcome == "too-late":
        raise DeleteTooLate if body is None else EditTooLate
    if outcome == "not-found":
        raise NotFound


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 18):
        raise Invalid("This cursor is not one of ours; leave it out to begin at the newest.")
    return int(cursor)
