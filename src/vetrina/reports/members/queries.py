"""SQL of members, by containment (`@>`), which the GIN indexes on metadata support."""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.reports.model import Key, Member, MemberDetail, MemberInvoice, MemberSubscription, Search

# The best plan depends on the number of matches: few come from the GIN index, many are reached soon in id order. So the
# plan is made for the actual values; a generic plan would be wrong for one of the cases.
FORCE_CUSTOM_PLAN = Statement(str, "select set_config('plan_cache_mode', 'force_custom_plan', true)")

_FIT: LiteralString = """
       where c.deleted_at is null
         and (%(metadata)s::jsonb is null or c.metadata @> %(metadata)s::jsonb)
         and (%(q)s::text is null or c.email = %(q)s or c.id = %(q)s)
"""
# A separate statement, because only a top-level EXISTS becomes a join, which the planner can start from either side.
_SUBSCRIBED: LiteralString = """
         and exists (select from stripe_mirror.subscriptions s
                      where s.customer_id = c.id and s.deleted_at is null and s.metadata @> %(subscription)s::jsonb)
"""
_CHOSEN: LiteralString = """
    with page as (
      select c.id, c.email, c.name, c.phone, c.stripe_created_at as created_at, c.metadata
        from stripe_mirror.customers c
"""
_SHOWN: LiteralString = """
         and (%(after)s::text = '' or c.id > %(after)s)
       order by c.id limit %(limit)s
    )
    select p.*, coalesce(s.subscriptions, 0)::integer as subscriptions, coalesce(s.monthly, '{}') as monthly
      from page p
      left join lateral (
        select sum(of.subscriptions) as subscriptions,
               jsonb_object_agg(of.currency, of.monthly) filter (where of.monthly <> 0) as monthly
          from (select coalesce(m.currency, 'xxx') as currency, count(*) as subscriptions,
                       sum(reports.current_monthly(m.id, m.data))::bigint as monthly
                  from stripe_mirror.subscriptions m
                 where m.customer_id = p.id and m.deleted_at is null group by 1) of
      ) s on true
     order by p.id
"""
_MEMBERS: LiteralString = _CHOSEN + _FIT + _SHOWN
_SUBSCRIBERS: LiteralString = _CHOSEN + _FIT + _SUBSCRIBED + _SHOWN
_EXPLAIN: LiteralString = "explain (analyze, buffers off, costs off) "
_SUBSCRIPTIONS: LiteralString = """
    select s.id, s.customer_id, c.email, c.name, coalesce(p.name, s.product_id) as product, s.status, s.currency,
           reports.current_monthly(s.id, s.data) as monthly,
           s.current_period_end, s.stripe_created_at as created_at, s.metadata
      from (
        select * from stripe_mirror.subscriptions
         where deleted_at is null and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)
           and (%(q)s::text is null or id = %(q)s or customer_id = %(q)s)
           and (%(after)s::text = '' or id > %(after)s)
         order by id limit %(limit)s
      ) s
      left join stripe_mirror.customers c on c.id = s.customer_id
      left join stripe_mirror.products p on p.id = s.product_id
     order by s.id
"""
MEMBERS = Statement(Member, _MEMBERS)
MEMBERS_PLAN = Statement(str, _EXPLAIN + _MEMBERS)
SUBSCRIBERS = Statement(Member, _SUBSCRIBERS)
SUBSCRIBERS_PLAN = Statement(str, _EXPLAIN + _SUBSCRIBERS)
SUBSCRIPTIONS = Statement(MemberSubscription, _SUBSCRIPTIONS)
SUBSCRIPTIONS_PLAN = Statement(str, _EXPLAIN + _SUBSCRIPTIONS)

# Counted up to `most`: an exact number of a large result is not worth its time.
_COUNT: LiteralString = "select count(*) from (select from stripe_mirror.customers c"
COUNT_MEMBERS = Statement(int, _COUNT + _FIT + " limit %(most)s) found")
COUNT_SUBSCRIBERS = Statement(int, _COUNT + _FIT + _SUBSCRIBED + " limit %(most)s) found")
COUNT_SUBSCRIPTIONS = Statement(
    int,
    """
    select count(*) from (
      select from stripe_mirror.subscriptions
       where deleted_at is null and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)
         and (%(q)s::text is null or id = %(q)s or customer_id = %(q)s)
       limit %(most)s) found
    """,
)

MEMBER = Statement(
    MemberDetail,
    """
    select c.id, c.email, c.name, c.phone, c.address, c.currency, c.balance, c.delinquent, c.metadata,
           c.stripe_created_at as created_at, c.deleted_at, c.synced_at,
           (select l.account_id from stripe_mirror.links l where l.customer_id = c.id) as account_id
      from stripe_mirror.customers c where c.id = %(id)s
    """,
)
MEMBER_SUBSCRIPTIONS = Statement(
    MemberSubscription,
    """
    select s.id, s.customer_id, null::text as email, null::text as name, coalesce(p.name, s.product_id) as product, s.status,
           s.currency, reports.current_monthly(s.id, s.data) as monthly,
           s.current_period_end, s.stripe_created_at as created_at, s.metadata
      from stripe_mirror.subscriptions s
      left join stripe_mirror.products p on p.id = s.product_id
     where s.customer_id = %(id)s and s.deleted_at is null order by s.stripe_created_at desc nulls last, s.id limit 100
    """,
)
MEMBER_INVOICES = Statement(
    MemberInvoice,
    """
    select id, number, status, currency, total, stripe_created_at as created_at, hosted_invoice_url
      from stripe_mirror.invoices where customer_id = %(id)s and deleted_at is null
     order by stripe_created_at desc nulls last, id limit 24
    """,
)

KEYS = Statement(
    Key,
    """
    select kind, key, holders, distinct_values, commonest from reports.metadata_keys
     where %(kind)s::text is null or kind = %(kind)s order by kind, holders desc, key limit 400
    """,
)
COUNT_METADATA = Statement(bool, "select reports.count_metadata(%(waiting)s)")

SEARCHES = Statement(
    Search,
    "select id, name, kind, filters, created_at from reports.searches where account_id = %(account)s order by lower(name), id",
)
SAVE_SEARCH = Statement(
    Search,
    """
    insert into reports.searches (account_id, id, name, kind, filters)
    values (%(account)s, %(id)s, %(name)s, %(kind)s, %(filters)s)
    on conflict (account_id, name) do update set kind = excluded.kind, filters = excluded.filters
    returning id, name, kind, filters, created_at
    """,
)
DELETE_SEARCH = Statement(UUID, "delete from reports.searches where account_id = %(account)s and id = %(id)s returning id")
