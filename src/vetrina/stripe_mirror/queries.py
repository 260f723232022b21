"""SQL of the mirror. The event order is implemented in its migrations, as are functions that depend on the kind."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement
from vetrina.stripe_mirror.model import (
    Difference,
    KindStatus,
    Lag,
    ListRun,
    Range,
    StateDigest,
    ThinEvents,
    UnresolvedObject,
)

INGEST_EVENTS = Statement(
    list[str], "select stripe_mirror.ingest_events(%(events)s::jsonb, %(originals)s::jsonb, %(handled)s::text[])"
)
INGEST_OBJECTS = Statement(
    int,
    """
    select stripe_mirror.ingest_objects(%(kind)s, %(objects)s::jsonb, %(served_at)s::timestamptz, %(requested_at)s::timestamptz)
    """,
)
MERGE_STAGED = Statement(int, "select stripe_mirror.merge_staged(%(batch)s, %(kind)s)")

# Lists --------------------------------------------------------------------------------------------------------------

LOCK = Statement(bool, "select pg_try_advisory_lock(hashtext('stripe_mirror ' || %(what)s))")
UNLOCK = Statement(bool, "select pg_advisory_unlock(hashtext('stripe_mirror ' || %(what)s))")

OPEN_RANGES = Statement(
    Range,
    """
    select run, kind, starts_at, ends_at, since, began_at, last_id, fetched
      from stripe_mirror.ranges
     where kind = %(kind)s and since = %(since)s and finished_at is null
       and run = (select run from stripe_mirror.ranges where kind = %(kind)s order by created_at desc, run desc limit 1)
     order by ends_at
    """,
)
FETCHED_BY_FINISHED = Statement(
    int, "select coalesce(sum(fetched), 0)::bigint from stripe_mirror.ranges where run = %(run)s and finished_at is not null"
)
INSERT_RANGE = Statement(
    NoneType,
    """
    insert into stripe_mirror.ranges (run, kind, starts_at, ends_at, since, began_at, last_id, fetched)
    values (%(run)s, %(kind)s, %(starts_at)s, %(ends_at)s, %(since)s, %(began_at)s, %(last_id)s, %(fetched)s)
    """,
)
NARROW_RANGE = Statement(
    NoneType,
    """
    update stripe_mirror.ranges set starts_at = %(starts_at)s
     where run = %(run)s and kind = %(kind)s and ends_at = %(ends_at)s
    """,
)
UPDATE_PROGRESS = Statement(
    NoneType,
    """
    update stripe_mirror.ranges r
       set last_id = p.last_id, fetched = p.fetched, finished_at = case when p.finished then now() end
      from jsonb_to_recordset(%(rows)s::jsonb) as p (ends_at bigint, last_id text, fetched bigint, finished boolean)
     where r.run = %(run)s and r.kind = %(kind)s and r.ends_at = p.ends_at
    """,
)
READ_TO = Statement(
    int,
    """
    select coalesce(max(until), 0)::bigint
      from (select max(ends_at) as until from stripe_mirror.ranges where kind = %(kind)s
             group by run having bool_and(finished_at is not null)) whole
    """,
)
DELETE_OLD_RANGES = Statement(
    NoneType,
    """
    delete from stripe_mirror.ranges r
     where created_at < now() - interval '30 days'
       and exists (select from stripe_mirror.ranges newer where newer.kind = r.kind and newer.created_at > r.created_at)
    """,
)
DELETE_RUN = Statement(NoneType, "delete from stripe_mirror.ranges where run = %(run)s and kind = %(kind)s")
DELETE_STAGED = Statement(NoneType, "delete from stripe_mirror.staged where batch = %(batch)s")
DELETE_OLD_STAGED = Statement(NoneType, "delete from stripe_mirror.staged where created_at < now() - interval '1 day'")

# Unresolved objects -------------------------------------------------------------------------------------------------

DUE = Statement(
    UnresolvedObject,
    """
    select kind, object_id, reason, at, attempts
      from stripe_mirror.unsettled
     where at < %(before)s
       and (attempts = 0 or updated_at < now() - make_interval(secs => least(power(4, attempts), 3600)))
     order by at, kind, object_id limit %(limit)s
    """,
)
DELETE_RESOLVED = Statement(
    NoneType,
    """
    delete from stripe_mirror.unsettled
     where kind = %(kind)s and object_id = %(id)s and at < date_trunc('second', %(at)s::timestamptz)
    """,
)
RECORD_FAILURE = Statement(
    NoneType,
    """
    update stripe_mirror.unsettled set attempts = attempts + 1, last_error = %(error)s
     where kind = %(kind)s and object_id = %(id)s
    """,
)
MARK_UNRESOLVED = Statement(
    int, "select stripe_mirror.mark_unresolved(%(kind)s, %(since)s::timestamptz, %(before)s::timestamptz)"
)
MARK_MISSING = Statement(
    NoneType,
    """
    insert into stripe_mirror.unsettled (kind, object_id, reason, at)
    select kind, id, 'missing', now() - interval '1 minute'
      from (
        select 'customers' as kind, customer_id as id from stripe_mirror.subscriptions where synced_at >= %(since)s
         union select 'customers', customer_id from stripe_mirror.invoices where synced_at >= %(since)s
         union select 'customers', customer_id from stripe_mirror.payment_intents where synced_at >= %(since)s
         union select 'customers', customer_id from stripe_mirror.charges where synced_at >= %(since)s
         union select 'subscriptions', subscription_id from stripe_mirror.invoices where synced_at >= %(since)s
         union select 'prices', price_id from stripe_mirror.subscriptions where synced_at >= %(since)s
         union select 'products', product_id from stripe_mirror.subscriptions where synced_at >= %(since)s
         union select 'products', product_id from stripe_mirror.prices where synced_at >= %(since)s
         union select 'charges', charge_id from stripe_mirror.refunds where synced_at >= %(since)s
         union select 'charges', charge_id from stripe_mirror.disputes where synced_at >= %(since)s
         union select 'coupons', stripe_mirror.json_text(coalesce(data #> '{source,coupon}', data -> 'coupon'))
                 from stripe_mirror.discounts where created_at >= %(since)s
         union select 'coupons', stripe_mirror.json_text(coalesce(payload #> '{data,object,source,coupon}',
                                                                  payload #> '{data,object,coupon}'))
                 from stripe_mirror.events where type like 'customer.discount.%%' and created_at >= %(since)s
      ) referred
     where id is not null and case kind
       when 'customers' then not exists (select from stripe_mirror.customers o where o.id = referred.id)
       when 'subscriptions' then not exists (select from stripe_mirror.subscriptions o where o.id = referred.id)
       when 'prices' then not exists (select from stripe_mirror.prices o where o.id = referred.id)
       when 'products' then not exists (select from stripe_mirror.products o where o.id = referred.id)
       when 'charges' then not exists (select from stripe_mirror.charges o where o.id = referred.id)
       when 'coupons' then not exists (select from stripe_mirror.coupons o where o.id = referred.id) end
     order by 1, 2
    on conflict (kind, object_id) do nothing
    """,
)

# Status -------------------------------------------------------------------------------------------------------------

STATUS = Statement(
    KindStatus,
    """
    select k.name as kind, coalesce(o.rows, 0) as rows, coalesce(o.deleted, 0) as deleted, coalesce(e.events, 0) as events,
           e.last_event_at, coalesce(u.unresolved, 0) as unresolved, coalesce(u.failing, 0) as failing, u.last_error
      from stripe_mirror.kinds k
      left join (select kind, count(*) as rows, count(deleted_at) as deleted from stripe_mirror.objects group by kind) o
        on o.kind = k.name
      left join (select kind, count(*) as events, max(at) as last_event_at from stripe_mirror.events group by kind) e
        on e.kind = k.name
      left join (select kind, count(*) as unresolved, count(*) filter (where attempts > 0) as failing,
                        (array_agg(last_error order by updated_at desc) filter (where last_error is not null))[1] as last_error
                   from stripe_mirror.unsettled group by kind) u on u.kind = k.name
     order by k.name
    """,
)
LAG = Statement(
    Lag,
    """
    with latest as (select type, at, created_at from stripe_mirror.events order by at desc limit 100)
    select (select count(*) from stripe_mirror.events) as events,
           (select count(*) from stripe_mirror.events where kind is null) as unknown,
           (select type from latest order by at desc limit 1) as last_type, max(at) as last_at,
           percentile_cont(0.5) within group (order by extract(epoch from created_at - at)::float8) as median_seconds,
           max(extract(epoch from created_at - at)::float8) as worst_seconds
      from latest
    """,
)
COUNT_THIN_EVENT = Statement(
    NoneType,
    """
    insert into stripe_mirror.thin_events as t (type) values (%(type)s)
    on conflict on constraint thin_events_pkey do update set count = t.count + 1
    """,
)
THIN_EVENTS = Statement(
    ThinEvents,
    """
    select (sum(count) over ())::bigint as count, type as last_type, updated_at as last_at
      from stripe_mirror.thin_events order by updated_at desc limit 1
    """,
)
LIST_RUNS = Statement(
    ListRun,
    """
    select distinct on (kind) kind, began_at, fetched, finished_at
      from (select run, kind, min(began_at) as began_at, sum(fetched)::bigint as fetched,
                   case when bool_and(finished_at is not null) then max(finished_at) end as finished_at
              from stripe_mirror.ranges group by run, kind) runs
     order by kind, began_at desc
    """,
)

# Verification -------------------------------------------------------------------------------------------------------

STATE_DIGEST = Statement(
    StateDigest,
    """
    select count(*)::integer as objects, coalesce(md5(string_agg(
             kind || id || data::text || event_at || event_rank || event_id || coalesce(deleted_at::text, ''),
             ' ' order by kind, id collate "C")), '') as state
      from stripe_mirror.objects where id = any (%(ids)s)
    """,
)
DIFFERENCES = Statement(
    Difference,
    """
    with versions as (
      select v.* from stripe_mirror.staged s, lateral stripe_mirror.fetched(s.object, s.at, s.began) v
       where s.batch = %(batch)s and s.kind = %(kind)s
       union all
      select v.* from stripe_mirror.events e join stripe_mirror.kinds k on k.name = e.kind,
             lateral stripe_mirror.version(e.payload #> '{data,object}', e.at, e.rank, e.id, e.type = k.deleted_by) v
       where e.kind = %(kind)s and (e.at >= date_trunc('second', %(began_at)s::timestamptz) or not %(listed)s)
    ), expected as (
      select distinct on (id) id, data, at, rank, event_id, min(deleted_at) over (partition by id) as deleted_at
        from versions order by id, at desc, rank desc, event_id collate "C" desc
    )
    select coalesce(x.id, f.id) as id,
           case when f.id is null then 'missing here'
                when x.id is null then 'not at Stripe'
                when x.deleted_at is not null and f.deleted_at is null then 'deleted at Stripe'
                when x.deleted_at is null and f.deleted_at is not null and %(listed)s then 'deleted here only'
                else 'other data' end as what,
           x.data as expected, f.data as found
      from expected x
      full join (select * from stripe_mirror.objects where kind = %(kind)s) f on f.id = x.id
     where case when f.id is null then x.deleted_at is null
                when x.id is null
                  then %(listed)s and f.deleted_at is null and f.event_at < date_trunc('second', %(began_at)s::timestamptz)
                when (f.event_at, f.event_rank, f.event_id) > (x.at, x.rank, x.event_id) then false
                else x.data <> f.data or (x.deleted_at is null) <> (f.deleted_at is null)
                     and (%(listed)s or f.deleted_at is null) end
     order by 1
    """,
)
UNDELETE = Statement(int, "select stripe_mirror.undelete(%(kind)s, %(ids)s, %(before)s::timestamptz)")
SNAPSHOT = Statement(NoneType, "set transaction isolation level repeatable read")
