"""Stripe webhook events: dispatch, retries and replay.

A handler is declared with `on`. It may call Stripe first; then it returns the effect to apply in the transaction, or None
if the event concerns nothing of ours. The effect and the event's outcome commit together. Failures are retried with
growing pauses; after the last attempt the event is dead until an operator replays it. The event itself is stored in the
mirror's inbox and never lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from vetrina.core.database.connection import Tx
from vetrina.core.errors import NotFound, Refusal, Unavailable
from vetrina.core.jobs.queue import enqueue
from vetrina.core.services import Services
from vetrina.payments.webhooks import queries

log = structlog.get_logger("vetrina.payments")

TRIES = 12
"""Over about six hours: pauses of 1, 4, 16, 64... seconds up to an hour."""
PAUSE = 3600


class Event(msgspec.Struct, frozen=True):
    """An event from the inbox: `at` is Stripe's time, `object` the object as it was then."""

    id: str
    type: str
    at: datetime
    object: dict[str, Any]


Effect = Callable[[Tx], Awaitable[Any]]
Handler = Callable[[Services, Event], Awaitable[Effect | None]]

HANDLERS: dict[str, Handler] = {}
"""Handlers by event type."""


class Impossible(Exception):
    """An event that no retry can apply: an operator has to look at it."""


def on(*types: str) -> Callable[[Handler], Handler]:
    """Declare the handler of these event types."""

    def declare(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return declare


async def apply(services: Services, event_id: str) -> str:
    """Process an event and return its outcome: applied, ignored, failed or dead. A repeated call changes nothing.

    Raises NotFound (404) for an event that is not in the inbox.
    """
    async with services.db.read() as tx:
        stored = await tx.fetch_one(queries.EVENT, id=event_id)
    event = Event(stored.id, stored.type, stored.at, stored.object)
    try:
        handler = HANDLERS.get(event.type)
        effect = await handler(services, event) if handler else None
        outcome = "applied" if effect else "ignored"
        async with services.db.tx() as tx:
            if effect:
                await effect(tx)
            await tx.execute(queries.ENDED, id=event.id, type=event.type, outcome=outcome)
        return outcome
    except Unavailable:
        raise  # our own database: the job is retried
    except Exception as error:
        expected = isinstance(error, Refusal | Impossible)
        log.warning(
            "an event could not be applied", stripe_event=event.id, type=event.type, exc_info=not expected, why=str(error)
        )
        why = f"{type(error).__name__}: {error}"[:2000].replace("\0", " ")
        tries = 1 if isinstance(error, Impossible) else TRIES
        async with services.db.tx() as tx:
            return await tx.fetch_one(
                queries.FAILED, id=event.id, type=event.type, error=why, tries=tries, longest=timedelta(seconds=PAUSE)
            )


async def again(services: Services, limit: int = 200) -> int:
    """Process events that failed and are due, and events that have no job; return their number."""
    async with services.db.tx() as tx:
        due = await tx.fetch_all(queries.CLAIM_DUE, limit=limit)
    for row in due:
        try:
            await apply(services, row)
        except NotFound:
            log.error("an event is gone from the inbox", stripe_event=row)
    return len(due)


async def replay(services: Services, ids: list[str]) -> list[str]:
    """Replay these events; return those that are in the inbox."""
    async with services.db.tx() as tx:
        ids_found = await tx.fetch_all(queries.REPLAY, ids=ids)
        for row in ids_found:
            await enqueue(tx, "payments.stripe_event", queue="payments", event_id=row)
    return ids_found


async def replay_all(services: Services, *, outcome: str = "dead", type: str = "%") -> int:
    """Replay every event with an outcome, of the types that match the LIKE pattern; return their number."""
    async with services.db.read() as tx:
        ids = await tx.fetch_all(queries.ENDED_SO, outcome=outcome, type=type)
    for start in range(0, len(ids), 500):
        await replay(services, ids[start : start + 500])
    return len(ids)
