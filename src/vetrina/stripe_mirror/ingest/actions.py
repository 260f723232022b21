"""Ingest Stripe webhooks and list pages."""

from __future__ import annotations

import base64
import time
from datetime import datetime
from typing import Self

import msgspec

from vetrina.core.database.batching import Coalescer
from vetrina.core.database.connection import Tx
from vetrina.core.services import Services
from vetrina.stripe_mirror import events, queries
from vetrina.stripe_mirror.model import Event, ThinEvent, WebhookSecretMissing


def secrets(services: Services) -> list[str]:
    """Return the webhook secrets. Raises WebhookSecretMissing (503) if none is set."""
    values = [secret.strip() for secret in services.settings.stripe_webhook_secret.split(",") if secret.strip()]
    if not values:
        raise WebhookSecretMissing
    return values


async def receive(services: Services, body: bytes, signature: str) -> bool:
    """Verify, store and apply one webhook; return whether it is new, after the commit.

    Raises InvalidSignature or InvalidEvent (400), which store nothing, ThinEvent (400), which is counted for the
    operator, and WebhookSecretMissing (503).
    """
    events.verify(body, signature, secrets(services), time.time())
    try:
        event = events.read(body)
    except ThinEvent as error:
        async with services.db.tx() as tx:
            await tx.execute(queries.COUNT_THIN_EVENT, type=str(error.details["event_type"]).replace("\0", " "))
        raise
    return await services.get(EventBatcher)(event)


class EventBatcher(Coalescer[Event, bool]):
    """Stores events that arrive together in one commit; the result for each is whether it is new."""

    @classmethod
    def provide(cls, services: Services) -> Self:
        """Return the batcher."""

        async def run(batch: list[Event]) -> list[bool]:
            async with services.db.read() as tx:  # a single statement, which is its own transaction
                new = await ingest_events(tx, batch, services.modules.stripe_events)
            results: list[bool] = []
            for event in batch:
                results.append(event.id in new)
                new.discard(event.id)  # a duplicate within the batch is new once
            return results

        return cls(run, order=lambda event: event.id)


async def ingest_events(tx: Tx, batch: list[Event], handled: list[str]) -> set[str]:
    """Store events in the inbox and apply them to the tables; return the ids of the new ones.

    `handled` are event types (LIKE patterns) for which a job is enqueued.
    """
    originals = {event.id: base64.b64encode(event.original).decode() for event in batch if event.original is not None}
    text = "[" + ",".join(event.text for event in batch) + "]"
    body = msgspec.json.encode(originals).decode()
    return set(await tx.fetch_one(queries.INGEST_EVENTS, events=text, originals=body, handled=handled))


async def ingest_objects(tx: Tx, kind: str, objects: str, served_at: datetime, requested_at: datetime) -> int:
    """Apply fetched objects, a JSON list; return the number of rows changed.

    `served_at` is the earliest time at which Stripe can have read them, by Stripe's clock; events of that second are
    newer.
    """
    return await tx.fetch_one(queries.INGEST_OBJECTS, kind=kind, objects=objects, served_at=served_at, requested_at=requested_at)
