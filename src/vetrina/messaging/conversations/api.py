"""JSON routes of conversations."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put

from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.messaging import presenters
from vetrina.messaging.conversations import actions
from vetrina.messaging.model import PARTICIPANTS_LIMIT, TITLE_LENGTH, Box
from vetrina.messaging.presenters import Conversation
from vetrina.messaging.queries import ONE

_CONVERSATION = "/conversations/{conversation_id:uuid}"
People = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=PARTICIPANTS_LIMIT)]


class ConversationRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A conversation to start: direct with one account, or with `is_group` a group, with a name."""

    account_ids: People
    is_group: bool = False
    title: Annotated[str, msgspec.Meta(max_length=TITLE_LENGTH)] = ""


class PeopleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Accounts to add."""

    account_ids: People


@get("/conversations", guards=[signed_in], tags=["messaging"])
async def conversations(request: Request, box: Box = Box.INBOX, limit: Limit = 50, cursor: Cursor = None) -> Page[Conversation]:
    """Return the caller's conversations, requests of others, or hidden conversations, the last written to first."""
    async with request.read() as tx:
        page = await actions.box(tx, request.account.id, box, cursor, limit)
    return page.map(presenters.conversation)


@post("/conversations", guards=[signed_in], tags=["messaging"], opt=limited("conversations"))
async def start(request: Request, data: ConversationRequest) -> Conversation:
    """Start a conversation. The one of a pair of accounts is returned if there is one; a group is always a new one."""
    account = request.account.id
    if not data.is_group and len(data.account_ids) != 1:
        raise NotFound
    async with request.tx() as tx:
        if data.is_group:
            conversation = await actions.start_group(tx, account, data.account_ids, data.title)
        else:
            conversation = await actions.start(tx, account, data.account_ids[0])
        return presenters.conversation(await tx.fetch_one(ONE, account=account, id=conversation))


@get(_CONVERSATION, guards=[signed_in], tags=["messaging"])
async def conversation(request: Request, conversation_id: UUID) -> Conversation:
    """Return one conversation."""
    async with request.read() as tx:
        return presenters.conversation(await tx.fetch_one(ONE, account=request.account.id, id=conversation_id))


@delete(_CONVERSATION, guards=[signed_in], tags=["messaging"])
async def remove(request: Request, conversation_id: UUID) -> None:
    """Delete all messages so far for the caller alone. When all have, they are deleted for good."""
    async with request.tx() as tx:
        await actions.step_out(tx, request.account.id, conversation_id, "deleted")


@post(_CONVERSATION + "/participants", guards=[signed_in], tags=["messaging"], opt=limited("conversations"))
async def add(request: Request, conversation_id: UUID, data: PeopleRequest) -> Conversation:
    """Add accounts to a group; they see what is written from now on."""
    account = request.account.id
    async with request.tx() as tx:
        await actions.add(tx, account, conversation_id, data.account_ids)
        return presenters.conversation(await tx.fetch_one(ONE, account=account, id=conversation_id))


@delete(_CONVERSATION + "/participation", guards=[signed_in], tags=["messaging"])
async def leave(request: Request, conversation_id: UUID) -> None:
    """Leave a group."""
    async with request.tx() as tx:
        await actions.step_out(tx, request.account.id, conversation_id, "left")


@put(_CONVERSATION + "/mute", status_code=204, guards=[signed_in], tags=["messaging"])
async def mute(request: Request, conversation_id: UUID) -> None:
    """Leave a conversation out of the count of unread ones."""
    async with request.tx() as tx:
        await actions.mute(tx, request.account.id, conversation_id, is_muted=True)


@delete(_CONVERSATION + "/mute", guards=[signed_in], tags=["messaging"])
async def unmute(request: Request, conversation_id: UUID) -> None:
    """Count a conversation again."""
    async with request.tx() as tx:
        await actions.mute(tx, request.account.id, conversation_id, is_muted=False)


@put(_CONVERSATION + "/hiding", status_code=204, guards=[signed_in], tags=["messaging"])
async def hide(request: Request, conversation_id: UUID) -> None:
    """Take a conversation out of the list until another message comes."""
    async with request.tx() as tx:
        await actions.hide(tx, request.account.id, conversation_id, is_hidden=True)


@delete(_CONVERSATION + "/hiding", guards=[signed_in], tags=["messaging"])
async def unhide(request: Request, conversation_id: UUID) -> None:
    """Put a hidden conversation back into the list."""
    async with request.tx() as tx:
        await actions.hide(tx, request.account.id, conversation_id, is_hidden=False)


ROUTES: list[Any] = [conversations, start, conversation, remove, add, leave, mute, unmute, hide, unhide]
