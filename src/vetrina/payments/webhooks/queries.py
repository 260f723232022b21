"""SQL of webhook events: outcomes, what is due, the log."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Any

import msgspec

from vetrina.core.database.connection import Statement


class StoredEvent(msgspec.Struct, frozen=True):
    """An event in the inbox."""

    id: str
    type: str
    at: datetime
    object: dict[str, Any]


class Lag(msgspec.Struct, frozen=True):
    """How far behind Stripe the events are: those that are tried again, and the longest since its first try in seconds."""

    last_at: datetime | None
    waiting: int
    longest_wait: int
    dead: int


class Logged(msgspec.Struct, frozen=True):
    """A line of the webhook log.

    `outcome` is waiting, applied, ignored, failed or dead; `at` is Stripe's time, `created_at` ours.
    """

    id: str
    type: str
    object_id: str | None
    at: datetime
    created_at: datetime
    outcome: str
    attempts: int
    tries: int
    next_at: datetime | None
    error: str | None
    updated_at: datetime | None


class Counted(msgspec.Struct, frozen=True):
    """The number of events with an outcome."""

    outcome: str
    count: int


EVENT = Statement(
    StoredEvent,
    """
    select id, type, at, coalesce(payload #> '{data,object}', '{}') as object from stripe_mirror.events where id = %(id)s
    """,
)
ENDED = Statement(
    NoneType,
    """
    insert into payments.webhook_events as w (event_id, type, outcome) values (%(id)s, %(type)s, %(outcome)s)
    on conflict (event_id) do update
       set outcome = excluded.outcome, attempts = w.attempts + 1, tries = w.tries + 1, next_at = null, error = null
    """,
)
# An event that another process applied meanwhile stays applied.
FAILED = Statement(
    str,
    """
    insert into payments.webhook_events as w (event_id, type, outcome, error, next_at)
    values (%(id)s, %(type)s, case when %(tries)s <= 1 then 'dead' else 'failed' end, %(error)s,
            case when %(tries)s > 1 then now() + interval '1 second' end)
    on conflict (event_id) do update
       set attempts = w.attempts + 1, tries = w.tries + 1,
           error = case w.outcome when 'applied' then w.error else excluded.error end,
           outcome = case when w.outcome = 'applied' then w.outcome when w.tries + 1 >= %(tries)s then 'dead' else 'failed' end,
           next_at = case when w.outcome <> 'applied' and w.tries + 1 < %(tries)s
                          then now() + least(interval '1 second' * 4 ^ least(w.tries, 10), %(longest)s) end
    returning outcome
    """,
)
# Beside failures: events of the last days that have no job, or whose job was lost.
CLAIM_DUE = Statement(
    str,
    """
    with due as (
      select event_id from payments.webhook_events
       where outcome = 'failed' and next_at <= now() order by next_at limit %(limit)s for update skip locked
    )
    update payments.webhook_events w set next_at = now() + interval '5 minutes'
      from due where w.event_id = due.event_id returning w.event_id
    """,
)
LOST = Statement(
    str,
    """
    select e.id from stripe_mirror.events e
     where e.at > now() - interval '3 days' and e.created_at < now() - interval '10 minutes' and e.type like any (%(told)s)
       and not exists (select from payments.webhook_events w where w.event_id = e.id)
     order by e.at limit %(limit)s
    """,
)
REPLAY = Statement(
    str,
    """
    insert into payments.webhook_events as w (event_id, type, outcome, attempts, tries, next_at)
    select id, type, 'failed', 0, 0, now() + interval '1 minute' from stripe_mirror.events where id = any (%(ids)s)
    on conflict (event_id) do update
       set tries = 0, outcome = case w.outcome when 'applied' then w.outcome else 'failed' end,
           next_at = case when w.outcome <> 'applied' then now() + interval '1 minute' end
    returning event_id
    """,
)

_LOG = """
    select e.id, e.type, e.object_id, e.at, e.created_at,
           coalesce(w.outcome, case when e.type like any (%(told)s) then 'waiting' else 'ignored' end) as outcome,
           coalesce(w.attempts, 0) as attempts, coalesce(w.tries, 0) as tries, w.next_at, w.error, w.updated_at
      from stripe_mirror.events e left join payments.webhook_events w on w.event_id = e.id"""

LOG = Statement(
    Logged,
    f"""
    {_LOG}
     where (%(type)s::text is null or e.type like %(type)s)
       and (%(object)s::text is null or e.object_id = %(object)s or e.id = %(object)s)
       and (%(outcome)s::text is null
            or coalesce(w.outcome, case when e.type like any (%(told)s) then 'waiting' else 'ignored' end) = %(outcome)s)
       and (e.at, e.id) < (%(before)s::timestamptz, %(before_id)s)
     order by e.at desc, e.id desc limit %(limit)s
    """,
)
ONE = Statement(Logged, f"{_LOG} where e.id = %(id)s")
BODY = Statement(str, "select jsonb_pretty(payload) from stripe_mirror.events where id = %(id)s")
ENDED_SO = Statement(
    str,
    """
    select event_id from payments.webhook_events where outcome = %(outcome)s and type like %(type)s order by created_at
    """,
)
LAG = Statement(
    Lag,
    """
    select (select max(created_at) from stripe_mirror.events
             where at > now() - interval '30 days') as last_at,
           count(*) filter (where outcome = 'failed')::integer as waiting,
           coalesce(extract(epoch from now() - min(created_at) filter (where outcome = 'failed')), 0)::integer as longest_wait,
           count(*) filter (where outcome = 'dead')::integer as dead
      from payments.webhook_events where outcome in ('failed', 'dead')
    """,
)
COUNTS = Statement(
    Counted, "select outcome, count(*)::integer as count from payments.webhook_events group by outcome order by outcome"
)
