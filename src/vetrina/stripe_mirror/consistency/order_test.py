"""Does the order of coming matter? One history in many orders, each in a transaction that is undone."""

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


class Fuzzed(msgspec.Struct):
    """The state's hash in order of happening, and the permutations (by number) that left another."""

    events: int
    objects: int
    permutations: int
    state: str
    different: list[int]


async def run(
    db: Database, *, permutations: int = 1000, count: int = 60, seed: int = 1, done: Callable[[int], None] = lambda _: None
) -> Fuzzed:
    """Take a history of `count` events in, in order and in random orders with duplicates, in batches of any size."""
    rng = random.Random(seed)
    made = sample.history(seed, count, prefix=PREFIX)
    history = [events.read(json.dumps(each).encode()) for each in made]
    ids = sorted({each["data"]["object"]["id"] for each in made})
    wanted, objects = await _state(db, ids, [history])
    different: list[int] = []
    for number in range(permutations):
        if (await _state(db, ids, _shuffled(rng, history)))[0] != wanted:
            different.append(number)
        done(number + 1)
    return Fuzzed(len(history), objects, permutations, wanted, different)


def _shuffled(rng: random.Random, history: list[Event]) -> list[list[Event]]:
    """Every event at least once, in any order, cut into batches."""
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
            await actions.take(tx, batch, [])
        found = await tx.one(queries.FUZZED, ids=ids)
    return found.state, found.objects
