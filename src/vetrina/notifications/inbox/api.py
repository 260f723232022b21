"""JSON routes of notifications, and their stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import delete, get, put
from litestar.params import Parameter
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from vetrina.core.database.ids import AccountId
from vetrina.core.database.paging import Page
from vetrina.core.database.pubsub import Signal
from vetrina.core.services import Services
from vetrina.core.web.http.event_streams import EVENT_STREAM, event_stream, listening
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED
from vetrina.notifications.inbox import actions
from vetrina.notifications.presenters import Notification

QUIET_SECONDS = 15.0
"""Seconds without an event after which a reader that has gone is noticed."""


class Unread(msgspec.Struct, frozen=True):
    """The number of unread notifications, at most 100."""

    unread: int


@get("/notifications", guards=[signed_in], tags=["notifications"])
async def notifications(
    request: Request,
    limit: Limit = 30,
    cursor: Cursor = None,
    kind: Annotated[str, Parameter(max_length=60)] = "",
    *,
    unread: bool = False,
) -> Page[Notification]:
    """Return the account's notifications, the newest first: those of one `kind`, or with `unread` the unread ones.

    What has the same kind and subject is one notification, with its latest two accounts in `actors`.
    """
    async with request.read() as tx:
        return await actions.notifications(tx, request.services, request.account.id, cursor, limit, kind=kind, unread=unread)


@get("/notifications/unread", guards=[signed_in], tags=["notifications"])
async def unread(request: Request) -> Unread:
    """Return the number of unread notifications."""
    async with request.read() as tx:
        return Unread(await actions.unread(tx, request.account.id))


@put("/notifications/read-mark", status_code=204, guards=[signed_in], tags=["notifications"])
async def mark_all_read(request: Request) -> None:
    """Mark every notification as read."""
    async with request.tx() as tx:
        await actions.mark_all_read(tx, request.account.id)


@put("/notifications/{notification_id:uuid}/read-mark", status_code=204, guards=[signed_in], tags=["notifications"])
async def mark_read(request: Request, notification_id: UUID) -> None:
    """Mark a notification as read, but not what came after it."""
    async with request.tx() as tx:
        await actions.mark_read(tx, request.account.id, notification_id)


@delete("/notifications/{notification_id:uuid}", guards=[signed_in], tags=["notifications"])
async def remove(request: Request, notification_id: UUID) -> None:
    """Delete a notification."""
    async with request.tx() as tx:
        await actions.delete(tx, request.account.id, notification_id)


@get(
    "/notifications/events",
    guards=[signed_in],
    tags=["notifications"],
    opt=UNCOMPRESSED,
    media_type=EVENT_STREAM,
    sync_to_thread=False,
)
def events(request: Request) -> ServerSentEvent:
    """Stream the number of unread notifications as events `notifications` with `{unread}`: at once, then with each change."""
    return event_stream(_counts(request.services, request.account.id))


async def _counts(services: Services, account: AccountId) -> AsyncIterator[ServerSentEventMessage]:
    with services.hub.subscribe(f"notifications@{account}") as messages:
        yield await _count(services, account)
        async for message in messages.messages_and_signals(quiet_interval=QUIET_SECONDS):
            if message is Signal.QUIET:
                yield listening()
            else:
                yield await _count(services, account)


async def _count(services: Services, account: AccountId) -> ServerSentEventMessage:
    async with services.db.read() as tx:
        count = Unread(await actions.unread(tx, account))
    return ServerSentEventMessage(data=msgspec.json.encode(count).decode(), event="notifications")


ROUTES: list[Any] = [notifications, unread, mark_all_read, mark_read, remove, events]
