"""The audit log: append-only, written in the transaction of the change that it records.

Each account has its own hash chain: a row carries the hash of the row before it, and `core.audit_heads` stores the latest hash.
Rows without an account belong to the site's chain. Most rows are written by triggers (migrations/0008_guards_audit.sql), so
that no change to an account, session, role, credit or payment can miss the log; `record` writes the rest. Personal data of a
row is stored in `core.audit_details`, which erasing the account deletes.
"""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Any, Literal
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from vetrina.core.database.connection import Statement, Tx

SITE_CHAIN = UUID(int=0)
"""Chain of rows that belong to no account: settings and other site-wide changes."""


ActorType = Literal["system", "user", "vendor", "admin"]


class Actor(msgspec.Struct, frozen=True):
    """The set_actor party: `type` is system, user, vendor or admin; `ip` is the client's address, if known."""

    type: ActorType
    id: UUID | None = None
    ip: str | None = None


SYSTEM = Actor("system")
"""The system itself: jobs, gateway callbacks and the operator's shell."""


class Row(msgspec.Struct, frozen=True):
    """One row of the log. `said` and `ip` are personal data and are deleted when the account is erased."""

    account_id: UUID
    id: UUID
    position: int
    actor_type: str
    actor_id: UUID | None
    action: str
    resource: str | None
    resource_id: str | None
    metadata: dict[str, Any]
    ip: str | None
    said: dict[str, Any] | None
    created_at: datetime


class Fault(msgspec.Struct, frozen=True):
    """A broken chain: the account, the position, the row (None if it is missing) and the reason."""

    account_id: UUID
    position: int
    id: UUID | None
    what: str


class Size(msgspec.Struct, frozen=True):
    """Size of the log."""

    rows: int
    chains: int


SET_ACTOR = Statement(str, "select set_config('vetrina.actor', %(actor)s, true)")
RECORD = Statement(
    UUID,
    """
    select core.audit(%(account)s::uuid, %(action)s, %(resource)s, %(resource_id)s, %(metadata)s::jsonb, %(said)s::jsonb,
                      %(actor)s::jsonb)
    """,
)
LIST = Statement(
    Row,
    """
    select l.account_id, l.id, l.position, l.actor_type, l.actor_id, l.action, l.resource, l.resource_id, l.metadata,
           host(d.ip) as ip, d.context as said, l.created_at
      from core.audit_logs l
      left join core.audit_details d on d.account_id = l.account_id and d.id = l.id
     where l.account_id = %(account)s and (%(action)s::text is null or l.action = %(action)s)
       and l.position < coalesce(
         (select position from core.audit_logs where account_id = %(account)s and id = %(before)s), 9223372036854775807)
     order by l.position desc limit %(limit)s
    """,
)
# `floor` is an id that is certainly older than `since`, so that a query for a past range does not scan the whole log.
SEARCH = Statement(
    Row,
    """
    select l.account_id, l.id, l.position, l.actor_type, l.actor_id, l.action, l.resource, l.resource_id, l.metadata,
           host(d.ip) as ip, d.context as said, l.created_at
      from core.audit_logs l
      left join core.audit_details d on d.account_id = l.account_id and d.id = l.id
     where l.id < %(before)s and l.id > %(floor)s
       and (%(account)s::uuid is null or l.account_id = %(account)s)
       and (%(actor)s::uuid is null or l.actor_id = %(actor)s)
       and (%(actor_type)s::text is null or l.actor_type = %(actor_type)s)
       and (%(action)s::text is null or l.action = %(action)s)
       and (%(since)s::timestamptz is null or l.created_at >= %(since)s)
       and (%(until)s::timestamptz is null or l.created_at < %(until)s)
     order by l.id desc limit %(limit)s
    """,
)
ACTIONS = Statement(
    str,
    """
    with recursive known as (
      (select action from core.audit_logs order by action limit 1)
      union all
      select (select action from core.audit_logs where action > known.action order by action limit 1) from known
       where known.action is not null
    )
    select action from known where action is not null
    """,
)
EXPORT = Statement(
    dict[str, Any],
    """
    select jsonb_build_object('id', l.id, 'at', l.created_at, 'action', l.action, 'resource', l.resource,
             'resource_id', l.resource_id, 'metadata', l.metadata, 'by_yourself', l.actor_id is not distinct from l.account_id,
             'ip', case when l.actor_id = l.account_id then host(d.ip) end,
             'said', case when l.actor_id = l.account_id then d.context end) as row
      from core.audit_logs l
      left join core.audit_details d on d.account_id = l.account_id and d.id = l.id
     where l.account_id = %(account)s
     order by l.position
    """,
)
# Personal context of an erased account, and the addresses it acted from on any account.
FORGET = Statement(
    NoneType,
    """
    delete from core.audit_details d using core.audit_logs l
     where d.account_id = l.account_id and d.id = l.id and (l.account_id = %(account)s or l.actor_id = %(account)s)
    """,
)
SIZE = Statement(Size, "select count(*) as rows, (select count(*) from core.audit_heads) as chains from core.audit_logs")
FAULTS = Statement(
    Fault,
    """
    with rows as (
      select l.account_id, l.id, l.position, l.action, l.actor_id, l.hash, l.previous_hash, l.details_hash,
             core.audit_hash(l) as expected,
             lag(l.hash, 1, '\\x'::bytea) over chain as before, lag(l.position, 1, 0::bigint) over chain as position_before
        from core.audit_logs l window chain as (partition by l.account_id order by l.position)
    ), ends as (
      select distinct on (account_id) account_id, id, position, hash from rows order by account_id, position desc
    ), erased as (
      select account_id, max(position) as position from rows where action = 'account_erased' group by account_id
    ), faults as (
      select account_id, position, id, 1 as rank, 'the row was changed' as what from rows where hash <> expected
      union all
      select account_id, position, id, 2, 'rows before it are missing' from rows where position <> position_before + 1
      union all
      select account_id, position, id, 3, 'it does not follow the row before it: one of them was changed or added'
        from rows where position = position_before + 1 and previous_hash <> before
      union all
      select h.account_id, h.position, e.id, 4, 'the chain does not end here: rows were removed or added at its end'
        from core.audit_heads h left join ends e on e.account_id = h.account_id
       where e.position is distinct from h.position or e.hash is distinct from h.hash
      union all
      select e.account_id, e.position, e.id, 4, 'the chain has no head'
        from ends e where not exists (select from core.audit_heads h where h.account_id = e.account_id)
      union all
      select r.account_id, r.position, r.id, 5,
             case when d.id is null then 'its details were removed' else 'its details were changed' end
        from rows r
        left join core.audit_details d on d.account_id = r.account_id and d.id = r.id
        left join erased on erased.account_id = r.account_id
       where (r.details_hash is not null or d.id is not null)
         and core.audit_detail_hash(d.salt, d.ip, d.context) is distinct from r.details_hash
         and not (d.id is null and (r.position <= coalesce(erased.position, 0)
                                    or r.actor_id in (select account_id from erased)))
    )
    select account_id, position, id, what from faults order by account_id, position, rank limit %(limit)s
    """,
)


async def set_actor(tx: Tx, actor: Actor) -> None:
    """Set the actor of this transaction, for rows that triggers write."""
    await tx.fetch_one(SET_ACTOR, actor=msgspec.json.encode(actor).decode())


async def record(
    tx: Tx,
    action: str,
    account: UUID | None,
    *,
    resource: tuple[str, object] | None = None,
    metadata: dict[str, Any] | None = None,
    said: dict[str, Any] | None = None,
    actor: Actor | None = None,
) -> UUID:
    """Record that `action` was done to a resource of `account` (None: of the site); return the row's id.

    `resource` is the resource's type and id; `metadata` holds data that may be kept for ever (ids, figures), `said` personal
    data (addresses, texts). The actor is `actor`, else that of `set_actor` (as every `request.tx()` calls it), else the system.
    Call it last in a transaction: the account's chain stays locked until the commit.
    """
    return await tx.fetch_one(
        RECORD,
        account=account,
        action=action,
        resource=resource[0] if resource else None,
        resource_id=str(resource[1]) if resource else None,
        metadata=Jsonb(metadata or {}),
        said=Jsonb(said or {}),
        actor=Jsonb(msgspec.to_builtins(actor)) if actor else None,
    )


async def faults(tx: Tx, limit: int = 20) -> list[Fault]:
    """Return the first broken position of each chain; empty if the log has not been tampered with."""
    return await tx.fetch_all(FAULTS, limit=limit)


def floor_of(since: datetime | None) -> UUID:
    """Return an id (UUIDv7) that was certainly generated before `since`, allowing for clocks an hour apart."""
    milliseconds = int(since.timestamp() * 1000) - 3_600_000 if since else 0
    return UUID(int=max(0, milliseconds) << 80)
