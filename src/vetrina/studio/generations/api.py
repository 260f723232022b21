"""JSON routes of generations and styles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from vetrina.core.database import paging
from vetrina.core.database.ids import AccountId
from vetrina.core.database.paging import Page
from vetrina.core.database.pubsub import Signal
from vetrina.core.errors import NotFound
from vetrina.core.services import Services
from vetrina.core.web.http.event_streams import EVENT_STREAM, event_stream, listening
from vetrina.core.web.paging import Cursor, Limit
from vetrina.core.web.request import Request, signed_in
from vetrina.core.web.route_options import UNCOMPRESSED, limited
from vetrina.studio import queries
from vetrina.studio.generations import actions, publication
from vetrina.studio.generations.actions import GenerationRequest
from vetrina.studio.model import ENDED, Generation, State, Status
from vetrina.studio.styles.catalogue import Catalogue, StyleRow

QUIET = 10.0
"""Seconds after which the state is read again although no change was announced."""


class Sharing(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the results are public."""

    is_public: bool


@get("/styles", tags=["studio"], sync_to_thread=False)
def styles(request: Request) -> Page[StyleRow]:
    """Return the available styles with their parameters, price in tokens and preview."""
    catalogue = request.services.get(Catalogue)
    return Page([catalogue.row(style) for style in catalogue.styles.values()], None)


@post("/generations", guards=[signed_in], tags=["studio"], opt=limited("generations"))
async def start(request: Request, data: GenerationRequest) -> Generation:
    """Start a generation. Its price is held, and returned if it fails or is cancelled.

    The same Idempotency-Key returns the same generation. 402 if there are not enough credits.
    """
    account = request.account
    return await actions.start(request.services, account.id, account.session_id, data, key=request.idempotency_key)


@get("/generations", guards=[signed_in], tags=["studio"])
async def history(
    request: Request, limit: Limit = 24, cursor: Cursor = None, status: Status | None = None, *, favourites: bool = False
) -> Page[Generation]:
    """Return the account's generations, newest first; those of one status, or with `favourites` those marked with a star."""
    account = request.account.id
    async with request.read() as tx:
        if favourites:
            page = await paging.fetch(tx, queries.FAVOURITES, cursor, limit, account=account)
        elif status is None:
            page = await paging.fetch(tx, queries.HISTORY, cursor, limit, account=account)
        else:
            page = await paging.fetch(tx, queries.HISTORY_BY_STATUS, cursor, limit, account=account, status=status.value)
    return page.map(lambda row: actions.to_response(request.services, row))


@get("/generations/{generation_id:uuid}", guards=[signed_in], tags=["studio"])
async def one(request: Request, generation_id: UUID) -> Generation:
    """Return one generation."""
    async with request.read() as tx:
        row = await tx.fetch_one(queries.ONE, account=request.account.id, id=generation_id)
    return actions.to_response(request.services, row)


@get(
    "/generations/events",
    guards=[signed_in],
    tags=["studio"],
    opt=UNCOMPRESSED,
    media_type=EVENT_STREAM,
    sync_to_thread=False,
)
def all_events(request: Request) -> ServerSentEvent:
    """Stream each change of the account's generations as an event `generation`, as `/generations/{id}/events` does of one.

    An event `resync` says that changes may have been missed: read the generations again.
    """
    return event_stream(_changes(request.services, request.account.id))


@get("/generations/{generation_id:uuid}/events", guards=[signed_in], tags=["studio"], opt=UNCOMPRESSED, media_type=EVENT_STREAM)
async def events(request: Request, generation_id: UUID) -> ServerSentEvent:
    """Stream progress as events `generation` with `{id, status, progress, step, error_message, queue_position}`."""
    account = request.account.id
    async with request.read() as tx:
        if await tx.fetch_optional(queries.STATE, account=account, id=generation_id) is None:
            raise NotFound
    return event_stream(_messages(request.services, account, generation_id))


@post("/generations/{generation_id:uuid}/cancellation", guards=[signed_in], status_code=200, tags=["studio"])
async def cancel(request: Request, generation_id: UUID) -> Generation:
    """Cancel a generation; its credits are returned. 409 if it has ended."""
    async with request.tx() as tx:
        row = await actions.cancel(tx, request.account.id, generation_id)
    return actions.to_response(request.services, row)


@post("/generations/{generation_id:uuid}/retry", guards=[signed_in], tags=["studio"])
async def retry(request: Request, generation_id: UUID) -> Generation:
    """Start a failed or cancelled generation again, as a new one."""
    account = request.account
    return await actions.retry(request.services, account.id, account.session_id, generation_id, key=request.idempotency_key)


@post("/generations/{generation_id:uuid}/sharing", guards=[signed_in], status_code=200, tags=["studio"])
async def share(request: Request, generation_id: UUID, data: Sharing) -> Generation:
    """Publish the results in the public gallery, or withdraw them."""
    async with request.tx() as tx:
        row = await publication.share(tx, request.account.id, generation_id, is_public=data.is_public)
    return actions.to_response(request.services, row)


@put("/generations/{generation_id:uuid}/favourite", guards=[signed_in], tags=["studio"])
async def add_favourite(request: Request, generation_id: UUID) -> Generation:
    """Mark a generation as a favourite."""
    async with request.tx() as tx:
        row = await actions.set_favourite(tx, request.account.id, generation_id, is_favourite=True)
    return actions.to_response(request.services, row)


@delete("/generations/{generation_id:uuid}/favourite", guards=[signed_in], status_code=200, tags=["studio"])
async def remove_favourite(request: Request, generation_id: UUID) -> Generation:
    """Unmark a generation as a favourite."""
    async with request.tx() as tx:
        row = await actions.set_favourite(tx, request.account.id, generation_id, is_favourite=False)
    return actions.to_response(request.services, row)


async def _changes(services: Services, account: AccountId) -> AsyncIterator[ServerSentEventMessage]:
    with services.hub.subscribe(f"generations@{account}") as messages:
        yield listening()
        async for message in messages.messages_and_signals(quiet_interval=QUIET):
            if message is Signal.QUIET:
                yield listening()
            elif message is Signal.RESYNC:
                yield ServerSentEventMessage(data="{}", event="resync")
            else:
                yield _event(msgspec.convert(message, State))


async def _messages(services: Services, account: AccountId, generation: UUID) -> AsyncIterator[ServerSentEventMessage]:
    with services.hub.subscribe(f"generations/{generation}") as messages:
        state = await _state(services, account, generation)
        if state is None:
            return
        yield _event(state)
        if state.status in ENDED:
            return
        async for message in messages.messages(poll_interval=QUIET):
            if message is None:
                state = await _state(services, account, generation)
                if state is None:
                    return
            else:
                state = msgspec.convert(message, State)
            yield _event(state)
            if state.status in ENDED:
                return


async def _state(services: Services, account: AccountId, generation: UUID) -> State | None:
    async with services.db.read() as tx:
        return await tx.fetch_optional(queries.STATE, account=account, id=generation)


def _event(state: State) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(state).decode(), event="generation")


ROUTES: list[Any] = [styles, start, history, one, all_events, events, cancel, retry, share, add_favourite, remove_favourite]
