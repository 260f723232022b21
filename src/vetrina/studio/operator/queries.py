"""SQL of what operators look up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement


class GenerationHit(msgspec.Struct, frozen=True):
    """A generation: its owner, style, state, and why it failed."""

    account_id: UUID
    id: UUID
    style: str
    status: str
    error_code: str | None
    created_at: datetime


class StatusCount(msgspec.Struct, frozen=True):
    """The number of generations in a state."""

    status: str
    count: int


_GENERATION = """
    select g.account_id, g.id, s.title as style, g.status, g.error_code, g.created_at
      from studio.generations g join studio.styles s on s.name = g.style_name"""

BY_ID = Statement(GenerationHit, f"{_GENERATION} where g.id = %(id)s")
LATEST = Statement(GenerationHit, f"{_GENERATION} where g.account_id = %(account)s order by g.created_at desc limit %(limit)s")
COUNTS = Statement(
    StatusCount,
    """
    select status, count(*)::integer as count from studio.generations where account_id = %(account)s
     group by status order by status
    """,
)


class Hourly(msgspec.Struct, frozen=True):
    """A sum of what happened in one hour (its start, UTC), of one kind `key`."""

    hour: datetime
    key: str
    value: int


# A generation ends within a day of its start, so that an index on the start bounds it.
ENDED = Statement(
    Hourly,
    """
    with ended as (
      select date_trunc('hour', completed_at, 'UTC') as hour, status, charge_asset, cost from studio.generations
       where status in ('completed', 'failed') and created_at >= %(since)s::timestamptz - interval '1 day'
         and completed_at >= %(since)s
    )
    select hour, status as key, count(*) as value from ended group by 1, 2
    union all
    select hour, 'tokens', sum(cost)::bigint from ended where status = 'completed' and charge_asset = 'token' group by 1
    """,
)
