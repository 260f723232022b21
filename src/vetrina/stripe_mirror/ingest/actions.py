"""Taking in what Stripe tells: batches of webhooks, pages of lists."""

from __future__ import annotations

import base64
import time
from datetime import datetime

import msgspec

from vetrina.core.database.batching import Coalescer
from vetrina.core.database.connection import Tx
from vetrina.core.services import Services
from vetrina.stripe_mirror import events, queries
from vetrina.stripe_mirror.model import Event, NoSecret, ThinEvent


def secrets(services: Services) -> list[str]:
    """The webhook's secrets. Raises NoSecret (503) when none is set."""
    found = [each.strip() for each in services.settings.stripe_webhook_secret.split(",") if each.strip()]
    if not found:
        raise NoSecret
    return found


async def receive(services: Services, body: bytes, signature: str) -> bool:
    """Verify, keep and apply one webhook; whether it was new. Returns after the commit.

    Raises BadSignature or BadEvent (400), which leave no row, ThinEvent (400), which is counted for the operator, and
    NoSecret (503).
    """
    events.verify(body, signature, secrets(services), time.time())
    try:
        event = events.read(body)
    except ThinEvent as refused:
        async with services.db.tx() as tx:
            await tx.do(queries.COUNT_THIN_EVENT, type=str(refused.details["event_type"]).replace("\0", " "))
        raise
    return await services.part(inbox)(event)


def inbox(services: Services) -> Coalescer[Event, bool]:
    """Takes events in: those that arrive together are committed together."""

    async def run(batch: list[Event]) -> list[bool]:
        async with services.db.read() as tx:  # one statement, which is its own transaction
            new = await take(tx, batch, services.modules.stripe_events)
        answers: list[bool] = []
        for each in batch:
            answers.append(each.id in new)
            new.discard(each.id)  # one that came twice in a batch is new once
        return answers

    return Coalescer(run, order=lambda event: event.id)


async def take(tx: Tx, batch: list[Event], handled: list[str]) -> set[str]:
    """Into the inbox and into the tables; the ids of those that had not come before.

    `handled` are the types (LIKE patterns) for which a job is enqueued.
    """
    originals = {each.id: base64.b64encode(each.original).decode() for each in batch if each.original is not None}
    text = "[" + ",".join(each.text for each in batch) + "]"
    kept = msgspec.json.encode(originals).decode()
    return set(await tx.one(queries.TAKE, events=text, originals=kept, told=handled))


async def take_fetched(tx: Tx, kind: str, objects: str, at: datetime, began: datetime) -> int:
    """States that were fetched: `objects` is a JSON list of them; how many rows changed.

    `at` is the last moment at which Stripe cannot yet have read them, by its clock; events of that second are newer.
    """
    return await tx.one(queries.TAKE_FETCHED, kind=kind, objects=objects, at=at, began=began)
