"""Actions on conversations: start, add people, mute, hide, delete, leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from vetrina.core import usage
from vetrina.core.database import paging
from vetrina.core.database.connection import Statement, Tx
from vetrina.core.database.ids import AccountId, new_id
from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.messaging.conversations import queries
from vetrina.messaging.model import (
    PARTICIPANTS_LIMIT,
    TITLE_LENGTH,
    Box,
    ConversationRow,
    ConversationTitleLength,
    Kind,
    NotAGroup,
    TooManyParticipants,
)
from vetrina.messaging.queries import ONE

BOXES: dict[Box, Statement[ConversationRow]] = {
    Box.INBOX: queries.INBOX,
    Box.REQUESTS: queries.REQUESTS,
    Box.HIDDEN: queries.HIDDEN,
}


async def start(tx: Tx, account: AccountId, other: UUID) -> UUID:
    """Return the conversation of two accounts, started if there is none. An account that does not follow is asked first.

    Raises NotFound (404) for the account itself, one that is not there, and where one blocks the other.
    """
    conversation = await tx.fetch_optional(queries.START_DIRECT, account=account, other=other, id=new_id())
    if conversation is None:
        raise NotFound
    return conversation


async def start_group(tx: Tx, account: AccountId, others: Sequence[UUID], title: str) -> UUID:
    """Start a group and return its id. Accounts that do not follow are asked first.

    Raises NotFound (404) if an account is not there or one blocks the other, TooManyParticipants,
    ConversationTitleLength (422).
    """
    _check(others, title)
    conversation = new_id()
    await tx.execute(queries.START_GROUP, id=conversation, account=account, title=title.strip())
    await tx.execute(queries.JOIN, id=conversation, account=account, sort=new_id())
    await _add(tx, account, conversation, others)
    await usage.record(tx, account, "group_started", {"conversation_id": str(conversation)})
    return conversation


async def add(tx: Tx, account: AccountId, conversation: UUID, others: Sequence[UUID]) -> None:
    """Add accounts to a group; they see what is written from now on.

    Raises NotFound (404), NotAGroup (409), TooManyParticipants (422).
    """
    row = await tx.fetch_one(ONE, account=account, id=conversation)
    if row.kind != Kind.GROUP:
        raise NotAGroup
    _check(others, "")
    await _add(tx, account, conversation, others)


async def box(tx: Tx, account: AccountId, name: Box, cursor: str | None, limit: int) -> Page[ConversationRow]:
    """Return the account's conversations of a box, the last written to first. Raises Invalid (422) for an invalid cursor."""
    return await paging.fetch(tx, BOXES[name], cursor, limit, key=_place, account=account)


async def mute(tx: Tx, account: AccountId, conversation: UUID, *, is_muted: bool) -> None:
    """Leave a conversation out of the account's count of unread ones, or count it again. Raises NotFound (404)."""
    if not await tx.execute(queries.MUTE, account=account, id=conversation, is_muted=is_muted):
        raise NotFound


async def hide(tx: Tx, account: AccountId, conversation: UUID, *, is_hidden: bool) -> None:
    """Take a conversation out of the account's list until another message comes, or put it back. Raises NotFound (404)."""
    if not await tx.execute(queries.HIDE, account=account, id=conversation, is_hidden=is_hidden):
        raise NotFound


async def step_out(tx: Tx, account: AccountId, conversation: UUID, how: Literal["deleted", "left", "declined"]) -> None:
    """Delete all messages for the account alone, leave a group, or decline a request.

    What all have deleted or left is deleted for good.
    Raises NotFound (404), also for leaving a direct conversation or declining one that is no request.
    """
    if not await tx.fetch_one(queries.STEP_OUT, account=account, id=conversation, how=how):
        raise NotFound


async def _add(tx: Tx, account: AccountId, conversation: UUID, others: Sequence[UUID]) -> None:
    if not await tx.fetch_one(queries.ADD, account=account, id=conversation, others=list(others), sort=new_id()):
        raise NotFound


def _check(others: Sequence[UUID], title: str) -> None:
    if len(others) >= PARTICIPANTS_LIMIT:
        raise TooManyParticipants
    if len(title.strip()) > TITLE_LENGTH:
        raise ConversationTitleLength


def _place(row: ConversationRow) -> UUID:
    assert row.sort_id is not None, "lists hold conversations with messages"
    return row.sort_id
