"""Members found by what their metadata says: filters as addresses name them, pages, plans, spreadsheets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Database, Tx
from vetrina.reports.members import queries
from vetrina.reports.model import BadFilter, Filters, Kind, Member, MemberSubscription

METADATA, SUBSCRIPTION = "metadata.", "subscription.metadata."
CHUNK = 1000
"""Rows that an export reads at a time."""
MOST = 1001
"""How far matches are counted."""
FEW = 20
"""Filters of one search at most."""


def filters_of(pairs: Iterable[tuple[str, str]], kind: Kind) -> Filters:
    """The filters among an address's pairs: `q`, `metadata.KEY`, and of customers `subscription.metadata.KEY`.

    A key without a value filters nothing. Raises BadFilter (422) for what cannot be, such as a key asked for twice.
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
                raise BadFilter(f"Subscriptions are searched by their own metadata: {METADATA}KEY.")
            key, into = name.removeprefix(SUBSCRIPTION), of_subscription
        else:
            continue
        if not key or len(key) > 200 or len(value) > 500:
            raise BadFilter("A key has 1 to 200 characters, a value up to 500.")
        if value and into.setdefault(key, value) != value:
            raise BadFilter(f"{key} cannot be two things at once.")
    if len(own) + len(of_subscription) > FEW or len(q) > 320:
        raise BadFilter("These are too many filters for one search.")
    return Filters(q, own, of_subscription)


def pairs_of(filters: Filters) -> list[tuple[str, str]]:
    """The filters as an address has them."""
    found = [("q", filters.q)] if filters.q else []
    found += [(METADATA + key, value) for key, value in filters.metadata.items()]
    return found + [(SUBSCRIPTION + key, value) for key, value in filters.subscription.items()]


def _arguments(filters: Filters) -> dict[str, Any]:
    """As the statements take them: containment of one document, null for what is not asked for."""
    found: dict[str, Any] = {"metadata": Jsonb(filters.metadata) if filters.metadata else None, "q": filters.q or None}
    return {**found, "subscription": Jsonb(filters.subscription)} if filters.subscription else found


async def customers(tx: Tx, filters: Filters, *, after: str = "", limit: int) -> list[Member]:
    """Customers that fit, by id, from `after` on. Within a transaction, which keeps the planner to the values at hand."""
    await tx.one(queries.FOR_THESE_VALUES)
    statement = queries.SUBSCRIBERS if filters.subscription else queries.MEMBERS
    return await tx.all(statement, **_arguments(filters), after=after, limit=limit)


async def subscriptions(tx: Tx, filters: Filters, *, after: str = "", limit: int) -> list[MemberSubscription]:
    """Subscriptions that fit, in the same way."""
    await tx.one(queries.FOR_THESE_VALUES)
    return await tx.all(queries.SUBSCRIPTIONS, **_arguments(filters), after=after, limit=limit)


async def find(tx: Tx, kind: Kind, filters: Filters, *, after: str = "", limit: int) -> list[Member] | list[MemberSubscription]:
    """Those of either kind."""
    search = customers if kind == "customers" else subscriptions
    return await search(tx, filters, after=after, limit=limit)


async def count(tx: Tx, kind: Kind, filters: Filters) -> int:
    """How many fit, counted up to `MOST`."""
    await tx.one(queries.FOR_THESE_VALUES)
    of_customers = queries.COUNT_SUBSCRIBERS if filters.subscription else queries.COUNT_MEMBERS
    statement = of_customers if kind == "customers" else queries.COUNT_SUBSCRIPTIONS
    return await tx.one(statement, **_arguments(filters), most=MOST)


async def plan(tx: Tx, kind: Kind, filters: Filters, *, limit: int = 50) -> list[str]:
    """How PostgreSQL goes about this search, with the times that it took."""
    await tx.one(queries.FOR_THESE_VALUES)
    of_customers = queries.SUBSCRIBERS_PLAN if filters.subscription else queries.MEMBERS_PLAN
    statement = of_customers if kind == "customers" else queries.SUBSCRIPTIONS_PLAN
    return await tx.all(statement, **_arguments(filters), after="", limit=limit)


async def sheet(db: Database, kind: Kind, filters: Filters) -> AsyncGenerator[list[list[str]]]:
    """The rows of a spreadsheet, some at a time, its head first: the plain columns, then one for each key of metadata."""
    async with db.read() as tx:
        keys = [each.key for each in await tx.all(queries.KEYS, kind=kind)]
    shape = Member if kind == "customers" else MemberSubscription
    plain = [each for each in shape.__struct_fields__ if each not in {"metadata", "monthly"}]
    yield [[*plain, "monthly", *(METADATA + key for key in keys)]]
    after = ""
    while True:
        async with db.tx() as tx:
            rows = await find(tx, kind, filters, after=after, limit=CHUNK)
        if rows:
            yield [_cells(row, plain, keys) for row in rows]
        if len(rows) < CHUNK:
            return
        after = rows[-1].id


def _cells(row: Member | MemberSubscription, plain: list[str], keys: list[str]) -> list[str]:
    values = msgspec.to_builtins(row)
    monthly = row.monthly if isinstance(row.monthly, int) else " ".join(f"{n} {of}" for of, n in sorted(row.monthly.items()))
    given = [*(values[name] for name in plain), monthly, *(row.metadata.get(key) for key in keys)]
    return ["" if each is None else str(each) for each in given]
