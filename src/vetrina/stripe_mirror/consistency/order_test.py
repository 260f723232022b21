"""Order test: apply one history in many orders, each in a transaction that is rolled back, and compare the states."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import msgspec

from vetrina.core.database.connection import Database, Tx
from vetrina.stripe_mirror import events, queries
from vetrina.stripe_mirror.consistency import sample_data as sample
from vetrina.stripe_mirror.ingest import actions
from vetrina.stripe_mirror.model import Event

PREFIX = "fuzz"


class OrderTestResult(msgspec.Struct):
    """The hash of the state in chronological order, and the numbers of the permutations with another state."""

    events: int
    objects: int
    permutations: int
    state: str
    different: list[int]


async def run(
    db: Database, *, permutations: int = 1000, count: int = 60, seed: int = 1, on_finished: Callable[[int], None] = lambda _: None
) -> OrderTestResult:
    """Apply a history of `count` events in order, then in random orders with duplicates and random batch sizes."""
    rng = random.Random(seed)
    raw_events = sample.history(seed, count, prefix=PREFIX)
    history = [events.read(json.dumps(item).encode()) for item in raw_events]
    ids = sorted({item["data"]["object"]["id"] for item in raw_events})
    expected, objects = await _state(db, ids, [history])
    different: list[int] = []
    for number in range(permutations):
        if (await _state(db, ids, _shuffled(rng, history)))[0] != expected:
            different.append(number)
        on_finished(number + 1)
    return OrderTestResult(len(history), objects, permutations, expected, different)


def _shuffled(rng: random.Random, history: list[Event]) -> list[list[Event]]:
    """Return every event at least once, in random order, split into batches."""
    order = [*history, *rng.sample(history, len(history) // 3)]
    rng.shuffle(order)
    batches: list[list[Event]] = []
    while order:
        size = rng.choice((1, 1, 2, 5, 20))
        batches.append(order[:size])
        order = order[size:]
    return batches


async def _state(db: Database, ids: list[str], batches: list[list[Event]]) -> tuple[str, int]:
    async with db.connection() as connection, connection.transaction(force_rollback=True):
        tx = Tx(connection)
        for batch in batches:
            await actions.ingest_events(tx, batch, [])
        digest = await tx.fetch_one(queries.STATE_DIGEST, ids=ids)
    return digest.state, digest.objects
