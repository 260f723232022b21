"""The usage record: every action, by account, kind and time."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Statement, Tx
from vetrina.core.database.ids import AccountId, new_id


class UsageRow(msgspec.Struct, frozen=True):
    """One action."""

    id: UUID
    action: str
    at: datetime
    metadata: dict[str, Any]


class UsageDay(msgspec.Struct, frozen=True):
    """Count of an action on one day (UTC)."""

    day: datetime
    action: str
    count: int


INSERT = Statement(
    NoneType,
    "insert into core.usage (account_id, id, action, metadata) values (%(account)s, %(id)s, %(action)s, %(metadata)s)",
)
LIST = Statement(
    UsageRow,
    """
    select id, action, at, metadata from core.usage
     where account_id = %(account)s and id < %(before)s
       and (%(action)s::text is null or action = %(action)s)
       and (%(since)s::timestamptz is null or at >= %(since)s)
       and (%(until)s::timestamptz is null or at < %(until)s)
     order by id desc limit %(limit)s
    """,
)
BY_DAY = Statement(
    UsageDay,
    """
    select date_trunc('day', at, 'UTC') as day, action, count(*) as count from core.usage
     where account_id = %(account)s and at >= %(since)s and (%(action)s::text is null or action = %(action)s)
     group by 1, 2 order by 1, 2
    """,
)
EXPORT = Statement(
    dict[str, Any], "select to_jsonb(u) - 'account_id' as row from core.usage u where account_id = %(account)s order by id"
)
FORGET = Statement(NoneType, "update core.usage set metadata = '{}' where account_id = %(account)s and metadata <> '{}'")


async def record(tx: Tx, account: AccountId, action: str, metadata: dict[str, Any]) -> None:
    """Record an action in the transaction that performs it."""
    await tx.execute(INSERT, account=account, id=new_id(), action=action, metadata=Jsonb(metadata))
