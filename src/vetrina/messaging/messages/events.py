"""Live messages by server-sent events.

A conversation's stream numbers its events by changes, which commit in order: a reader that reconnects with `Last-Event-ID` gets
every change after it. The account's stream says which conversations changed; its readers then read those after the last change
that they have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import Parameter
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from vetrina.core.database.ids import AccountId
from vetrina.core.database.pubsub import Signal
from vetrina.core.services import Services
from vetrina.core.web.http.event_streams import EVENT_STREAM, event_stream, listening
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED
from vetrina.messaging import presenters
from vetrina.messaging.messages import actions
from vetrina.messaging.queries import ONE, UNREAD

QUIET_SECONDS = 15.0
"""Seconds after which the state is read again although no change was announced, and a reader that has gone is noticed."""


class Change(msgspec.Struct, frozen=True):
    """A conversation that changed: its latest change (null: not of a message), and the number of unread conversations."""

    conversation_id: UUID
    change: int | None
    unread: int


@get(
    "/conversations/events",
    guards=[signed_in],
    tags=["messaging"],
    opt=UNCOMPRESSED,
    media_type=EVENT_STREAM,
    sync_to_thread=False,
)
def all_events(request: Request) -> ServerSentEvent:
    """Stream changes of the account's conversations as events `conversation` with `{conversation_id, change, unread}`.

    An event `resync` (`{unread}`, also the first one) says that changes may have been missed: read the conversations again.
    """
    return event_stream(_changes(request.services, request.account.id))


@get(
    "/conversations/{conversation_id:uuid}/events",
    guards=[signed_in],
    tags=["messaging"],
    opt=UNCOMPRESSED,
    media_type=EVENT_STREAM,
)
async def events(
    request: Request, conversation_id: UUID, after: Annotated[int | None, Parameter(ge=0, lt=2**62)] = None
) -> ServerSentEvent:
    """Stream the messages of a conversation as events `message`, each time they are sent, edited or deleted.

    An event's id is the number of the change: with `Last-Event-ID` (or `?after=`) the stream begins after it, without with the
    next change.
    """
    account = request.account.id
    async with request.read() as tx:
        row = await tx.fetch_one(ONE, account=account, id=conversation_id)
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdigit() and len(last) < 18:
        after = int(last)  # a browser that reconnects calls the same address
    return event_stream(_messages(request.services, account, conversation_id, row.last_change if after is None else after))


async def _changes(services: Services, account: AccountId) -> AsyncIterator[ServerSentEventMessage]:
    with services.hub.subscribe(f"messages@{account}") as messages:
        yield _event("resync", {"unread": await _unread(services, account)})
        async for message in messages.messages_and_signals(quiet_interval=QUIET_SECONDS):
            if message is Signal.QUIET:
                yield listening()
            elif message is Signal.RESYNC:
                yield _event("resync", {"unread": await _unread(services, account)})
            else:
                conversation, change = UUID(message["conversation_id"]), message["change"]
                yield _event("conversation", Change(conversation, change, await _unread(services, account)))


async def _messages(
    services: Services, account: AccountId, conversation: UUID, after: int
) -> AsyncIterator[ServerSentEventMessage]:
    with services.hub.subscribe(f"conversations/{conversation}") as messages:
        yield listening()
        async for message in _first_then(messages.messages(poll_interval=QUIET_SECONDS)):
            if message is not None and message["change"] is not None and message["change"] <= after:
                continue
            while True:
                async with services.db.read() as tx:
                    rows = await actions.changes(tx, account, conversation, after)
                    if not rows and not await tx.fetch_optional(ONE, account=account, id=conversation):
                        return  # it left, or was blocked
                    items = await presenters.messages(services, tx, account, rows)
                for item in items:
                    after = item.change
                    yield _event("message", item, id=after)
                if len(rows) < actions.CATCH_UP:
                    break
            if not items:
                yield listening()


async def _first_then(messages: AsyncIterator[dict[str, Any] | None]) -> AsyncIterator[dict[str, Any] | None]:
    yield None
    async for message in messages:
        yield message


async def _unread(services: Services, account: AccountId) -> int:
    async with services.db.read() as tx:
        return await tx.fetch_one(UNREAD, account=account)


def _event(name: Literal["resync", "conversation", "message"], data: Any, *, id: int | None = None) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(data).decode(), event=name, id=id)


ROUTES: list[Any] = [all_events, events]
