"""JSON routes of messages."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post, put
from litestar.params import Parameter

from vetrina.core.database.paging import Page
from vetrina.core.errors import NotFound
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import limited
from vetrina.messaging import presenters
from vetrina.messaging.messages import actions, queries
from vetrina.messaging.messages.actions import MessageRequest
from vetrina.messaging.model import BODY_LENGTH
from vetrina.messaging.presenters import Message
from vetrina.messaging.queries import ONE

_CONVERSATION = "/conversations/{conversation_id:uuid}"
Position = Annotated[int, Parameter(ge=0, lt=2**62)]


class Text(msgspec.Struct, forbid_unknown_fields=True):
    """The new text of a message."""

    body: Annotated[str, msgspec.Meta(min_length=1, max_length=BODY_LENGTH)]


class ReadMark(msgspec.Struct, forbid_unknown_fields=True):
    """The position of the last message that was read."""

    position: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


@get(_CONVERSATION + "/messages", guards=[signed_in], tags=["messaging"])
async def history(
    request: Request,
    conversation_id: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
    after: Annotated[int | None, Parameter(ge=0, lt=2**62)] = None,
) -> Page[Message]:
    """Return messages, the newest first; with `after` those sent, edited or deleted after that change, the earliest first."""
    account = request.account.id
    async with request.read() as tx:
        await tx.fetch_one(ONE, account=account, id=conversation_id)
        if after is None:
            page = await actions.page(tx, account, conversation_id, cursor, limit)
        else:
            page = Page(await actions.changes(tx, account, conversation_id, after, limit), None)
        items = await presenters.messages(request.services, tx, account, page.items)
    return Page(items, page.next_cursor)


@post(_CONVERSATION + "/messages", guards=[signed_in], tags=["messaging"], opt=limited("messages"))
async def send(request: Request, conversation_id: UUID, data: MessageRequest) -> Message:
    """Send a message. The same Idempotency-Key returns the same message.

    To an account that does not follow the sender, three messages of text can be sent until it accepts.
    """
    account = request.account.id
    sent = await actions.send(request.services, account, conversation_id, data, key=request.idempotency_key)
    if sent.created_at is None or data.file_ids or data.subject:
        return await _one(request, conversation_id, sent.position)
    return presenters.sent_text(account, conversation_id, data.body, sent.position, sent.created_at, sent.author, sent.handle)


@patch(_CONVERSATION + "/messages/{position:int}", guards=[signed_in], tags=["messaging"])
async def edit(request: Request, conversation_id: UUID, position: Position, data: Text) -> Message:
    """Change the text of one's own message. 409 after 15 minutes."""
    async with request.tx() as tx:
        await actions.edit(tx, request.account.id, conversation_id, position, data.body)
    return await _one(request, conversation_id, position)


@delete(_CONVERSATION + "/messages/{position:int}", guards=[signed_in], tags=["messaging"])
async def remove(request: Request, conversation_id: UUID, position: Position) -> None:
    """Delete one's own message for everyone. 409 after two days."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id, conversation_id, position)


@put(_CONVERSATION + "/read-mark", status_code=204, guards=[signed_in], tags=["messaging"])
async def mark_read(request: Request, conversation_id: UUID, data: ReadMark) -> None:
    """Mark messages up to a position as read. A mark never goes back."""
    async with request.tx() as tx:
        await actions.mark_read(tx, request.account.id, conversation_id, data.position)


@get("/messages", guards=[signed_in], tags=["messaging"])
async def search(
    request: Request, q: Annotated[str, Parameter(min_length=1, max_length=200)], limit: Limit = 50
) -> Page[Message]:
    """Return messages of the caller's conversations that contain every word, the newest first."""
    account = request.account.id
    async with request.read() as tx:
        rows = await actions.search(tx, account, q, limit)
        return Page(await presenters.messages(request.services, tx, account, rows), None)


async def _one(request: Request, conversation_id: UUID, position: int) -> Message:
    async with request.read() as tx:
        rows = await tx.fetch_all(queries.ONE, account=request.account.id, id=conversation_id, position=position)
        if not rows:
            raise NotFound
        return (await presenters.messages(request.services, tx, request.account.id, rows))[0]


ROUTES: list[Any] = [history, send, edit, remove, mark_read, search]
