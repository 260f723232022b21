"""Search members by metadata: parse filters from query parameters, list, count, explain, export."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Database, Tx
from vetrina.reports.members import queries
from vetrina.reports.model import Filters, InvalidFilter, Kind, Member, MemberSubscription

METADATA, SUBSCRIPTION = "metadata.", "subscription.metadata."
EXPORT_CHUNK = 1000
"""Rows per query of an export."""
COUNT_LIMIT = 1001
"""Counting stops at this number of matches."""
MAX_FILTERS = 20
"""The largest number of filters in a search."""


def parse_filters(pairs: Iterable[tuple[str, str]], kind: Kind) -> Filters:
    """Parse filters from query parameters: `q`, `metadata.KEY`, and for customers `subscription.metadata.KEY`.

    A key without a value is ignored. Raises InvalidFilter (422), for example for two values of one key.
    """
    q = ""
    own: dict[str, str] = {}
    of_subscription: dict[str, str] = {}
    for name, value in pairs:
        if name == "q":
            q = value.strip()
            continue
        if name.startswith(METADATA):
            key, into = name.removeprefix(METADATA), own
        elif name.startswith(SUBSCRIPTION):
            if kind == "subscriptions":
                raise InvalidFilter(f"Subscriptions are filtered by {METADATA}KEY.")
            key, into = name.removeprefix(SUBSCRIPTION), of_subscription
        else:
            continue
        if not key or len(key) > 200 or len(value) > 500:
            raise InvalidFilter("A key has 1 to 200 characters, a value up to 500.")
        if value and into.setdefault(key, value) != value:
            raise InvalidFilter(f"{key} has two values.")
    if len(own) + len(of_subscription) > MAX_FILTERS or len(q) > 320:
        raise InvalidFilter("Too many filters.")
    return Filters(q, own, of_subscription)


def to_query(filters: Filters) -> list[tuple[str, str]]:
    """Return the filters as query parameters."""
    pairs = [("q", filters.q)] if filters.q else []
    pairs += [(METADATA + key, value) for key, value in filters.metadata.items()]
    return pairs + [(SUBSCRIPTION + key, value) for key, value in filters.subscription.items()]


def _arguments(filters: Filters) -> dict[str, Any]:
    """Return the statements' arguments: one JSON document for containment, null for an unused filter."""
    arguments: dict[str, Any] = {"metadata": Jsonb(filters.metadata) if filters.metadata else None, "q": filters.q or None}
    return {**arguments, "subscription": Jsonb(filters.subscription)} if filters.subscription else arguments


async def customers(tx: Tx, filters: Filters, *, after: str = "", limit: int) -> list[Member]:
    """Return matching customers by id, after `after`. Needs a transaction, in which generic plans are disabled."""
    await tx.fetch_one(queries.FORCE_CUSTOM_PLAN)
    statement = queries.SUBSCRIBERS if filters.subscription else queries.MEMBERS
    return await tx.fetch_all(statement, **_arguments(filters), after=after, limit=limit)


async def subscriptions(tx: Tx, filters: Filters, *, after: str = "", limit: int) -> list[MemberSubscription]:
    """Return matching subscriptions by id, after `after`."""
    await tx.fetch_one(queries.FORCE_CUSTOM_PLAN)
    return await tx.fetch_all(queries.SUBSCRIPTIONS, **_arguments(filters), after=after, limit=limit)


async def search(tx: Tx, kind: Kind, filters: Filters, *, after: str = "", limit: int) -> list[Member] | list[MemberSubscription]:
    """Return matching customers or subscriptions."""
    list_matches = customers if kind == "customers" else subscriptions
    return await list_matches(tx, filters, after=after, limit=limit)


async def count(tx: Tx, kind: Kind, filters: Filters) -> int:
    """Return the number of matches, counted up to `COUNT_LIMIT`."""
    await tx.fetch_one(queries.FORCE_CUSTOM_PLAN)
    of_customers = queries.COUNT_SUBSCRIBERS if filters.subscription else queries.COUNT_MEMBERS
    statement = of_customers if kind == "customers" else queries.COUNT_SUBSCRIPTIONS
    return await tx.fetch_one(statement, **_arguments(filters), most=COUNT_LIMIT)


async def explain(tx: Tx, kind: Kind, filters: Filters, *, limit: int = 50) -> list[str]:
    """Return the lines of EXPLAIN ANALYZE for a search."""
    await tx.fetch_one(queries.FORCE_CUSTOM_PLAN)
    of_customers = queries.SUBSCRIBERS_PLAN if filters.subscription else queries.MEMBERS_PLAN
    statement = of_customers if kind == "customers" else queries.SUBSCRIPTIONS_PLAN
    return await tx.fetch_all(statement, **_arguments(filters), after="", limit=limit)


async def csv_rows(db: Database, kind: Kind, filters: Filters) -> AsyncGenerator[list[list[str]]]:
    """Yield the rows of a CSV export in chunks, header first: the columns, then one for each metadata key."""
    async with db.read() as tx:
        keys = [key.key for key in await tx.fetch_all(queries.KEYS, kind=kind)]
    row_type = Member if kind == "customers" else MemberSubscription
    plain = [name for name in row_type.__struct_fields__ if name not in {"metadata", "monthly"}]
    yield [[*plain, "monthly", *(METADATA + key for key in keys)]]
    after = ""
    while True:
        async with db.tx() as tx:
            rows = await search(tx, kind, filters, after=after, limit=EXPORT_CHUNK)
        if rows:
            yield [_cells(row, plain, keys) for row in rows]
        if len(rows) < EXPORT_CHUNK:
            return
        after = rows[-1].id


def _cells(row: Member | MemberSubscription, plain: list[str], keys: list[str]) -> list[str]:
    values = msgspec.to_builtins(row)
    monthly = row.monthly if isinstance(row.monthly, int) else " ".join(f"{n} {of}" for of, n in sorted(row.monthly.items()))
    cells = [*(values[name] for name in plain), monthly, *(row.metadata.get(key) for key in keys)]
    return ["" if cell is None else str(cell) for cell in cells]
