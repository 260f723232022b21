"""What Stripe tells, applied: each event by the handler of its type, in one transaction with the note of what became of it.

A handler is declared with `on`. It may ask Stripe first; then it returns what is to be done in the transaction, or None when
the event is about nothing of ours. What fails is tried again, later each time; after the last try it is dead until somebody
has it replayed. The event itself lies in the mirror's inbox and is never lost.
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
"""Over some six hours: pauses of 1, 4, 16, 64... seconds up to an hour."""
PAUSE = 3600


class Event(msgspec.Struct, frozen=True):
    """An event from the inbox: `at` is Stripe's time, `object` what it is about, as it was then."""

    id: str
    type: str
    at: datetime
    object: dict[str, Any]


Effect = Callable[[Tx], Awaitable[Any]]
Handler = Callable[[Services, Event], Awaitable[Effect | None]]

HANDLERS: dict[str, Handler] = {}
"""By type."""


class Impossible(Exception):
    """An event that no further try will make right: somebody has to look at it."""


def on(*types: str) -> Callable[[Handler], Handler]:
    """Declare the handler of these types of events."""

    def declare(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return declare


async def apply(services: Services, event_id: str) -> str:
    """Apply an event; how that ended: applied, ignored, failed or dead. Applied again it changes nothing.

    Raises NotFound (404) for an event that is not in the inbox.
    """
    async with services.db.read() as tx:
        found = await tx.one(queries.EVENT, id=event_id)
    event = Event(found.id, found.type, found.at, found.object)
    try:
        handler = HANDLERS.get(event.type)
        effect = await handler(services, event) if handler else None
        outcome = "applied" if effect else "ignored"
        async with services.db.tx() as tx:
            if effect:
                await effect(tx)
            await tx.do(queries.ENDED, id=event.id, type=event.type, outcome=outcome)
        return outcome
    except Unavailable:
        raise  # our own database: the job comes again
    except Exception as error:
        known = isinstance(error, Refusal | Impossible)
        log.warning("an event could not be applied", stripe_event=event.id, type=event.type, exc_info=not known, why=str(error))
        why = f"{type(error).__name__}: {error}"[:2000].replace("\0", " ")
        tries = 1 if isinstance(error, Impossible) else TRIES
        async with services.db.tx() as tx:
            return await tx.one(
                queries.FAILED, id=event.id, type=event.type, error=why, tries=tries, longest=timedelta(seconds=PAUSE)
            )


async def again(services: Services, limit: int = 200) -> int:
    """Apply what failed and is due, and what no job came for; how many events that were."""
    async with services.db.tx() as tx:
        due = await tx.all(queries.CLAIM_DUE, limit=limit)
    for each in due:
        try:
            await apply(services, each)
        except NotFound:
            log.error("an event is gone from the inbox", stripe_event=each)
    return len(due)


async def replay(services: Services, ids: list[str]) -> list[str]:
    """Apply these events again, soon: those of them that are in the inbox."""
    async with services.db.tx() as tx:
        found = await tx.all(queries.REPLAY, ids=ids)
        for each in found:
            await enqueue(tx, "payments.stripe_event", queue="payments", event_id=each)
    return found


async def replay_all(services: Services, *, outcome: str = "dead", type: str = "%") -> int:
    """Apply again every event that ended so, of the types that fit the LIKE pattern; how many that were."""
    async with services.db.read() as tx:
        ids = await tx.all(queries.ENDED_SO, outcome=outcome, type=type)
    for start in range(0, len(ids), 500):
        await replay(services, ids[start : start + 500])
    return len(ids)
