"""SQL of the reports. `until` is the exclusive end of the history included, `months` the number of months back.

Months and weeks are in UTC. Amounts in different currencies are never added.
"""

from __future__ import annotations

from typing import LiteralString

from vetrina.core.database.connection import Statement
from vetrina.reports.model import Cohort, Difference, Failure, MrrMovement, Progress, Renewal, Revenue, SubscriptionCount

_SHOWN: LiteralString = """
    last as (
      select date_trunc('month', (%(until)s::timestamptz - interval '1 microsecond') at time zone 'UTC')::date as month
    ), shown as (
      select generate_series(month::timestamp - make_interval(months => %(months)s - 1), month, '1 month')::date as month
        from last
    )
"""
# Each customer's monthly revenue in the months in which it changed: whole months from the stored movements, the last
# one
# up to `until`. `cohort` is the month of the customer's first payment, null before it.
_RUNNING: LiteralString = """
    running as (
      select m.currency, m.month, m.net, m.before, m.before + m.net as after,
             case when m.cohort <= m.month then m.cohort end as cohort
        from reports.movements m where m.month < (select month from last)
      union all
      select m.currency, m.month, p.net, m.before, m.before + p.net,
             case when m.cohort < m.month then m.cohort when m.before + p.net > 0 then m.month end
        from (select customer_id, currency, sum(change)::bigint as net from reports.states
               where since >= (select month from last)::timestamp at time zone 'UTC' and since < %(until)s and change <> 0
               group by 1, 2) p
        join reports.movements m
          on m.customer_id = p.customer_id and m.currency = p.currency and m.month = (select month from last)
    )
"""

MOVEMENTS = Statement(
    MrrMovement,
    "with "
    + _SHOWN
    + ", "
    + _RUNNING
    + """
    , moved as (
      select currency, month, sum(net) as net,
             sum(net) filter (where before <= 0 and after > 0 and cohort = month) as new,
             sum(net) filter (where before <= 0 and after > 0 and cohort < month) as reactivation,
             sum(net) filter (where before > 0 and after > before) as expansion,
             sum(net) filter (where after > 0 and after < before) as contraction,
             sum(net) filter (where before > 0 and after <= 0) as churn,
             count(*) filter (where before <= 0 and after > 0 and cohort = month) as customers_new,
             count(*) filter (where before <= 0 and after > 0 and cohort < month) as customers_back,
             count(*) filter (where before > 0 and after <= 0) as customers_lost
        from running group by 1, 2
    ), parts as (
      select s.currency, n.month, sum(s.metered) as metered, sum(s.paused) as paused, sum(s.temporary) as temporary
        from shown n, reports.states s
       where (s.paused <> 0 or s.metered <> 0 or s.temporary <> 0)
         and s.since < least((n.month + interval '1 month') at time zone 'UTC', %(until)s)
         and (s.until is null or s.until >= least((n.month + interval '1 month') at time zone 'UTC', %(until)s))
       group by 1, 2
    ), grid as (
      select c.currency, m.month
        from (select currency from moved union select currency from parts) c
       cross join (select month from shown union select month from moved where month < (select min(month) from shown)) m
    ), totals as (
      select g.currency, g.month, m.net, m.new, m.reactivation, m.expansion, m.contraction, m.churn, m.customers_new,
             m.customers_back, m.customers_lost,
             sum(coalesce(m.net, 0)) over (partition by g.currency order by g.month) as closing,
             sum(coalesce(m.customers_new + m.customers_back - m.customers_lost, 0))
               over (partition by g.currency order by g.month) as customers
        from grid g left join moved m on m.currency = g.currency and m.month = g.month
    )
    select t.month, t.currency, (closing - coalesce(net, 0))::bigint as opening, coalesce(new, 0)::bigint as new,
           coalesce(expansion, 0)::bigint as expansion, coalesce(contraction, 0)::bigint as contraction,
           coalesce(churn, 0)::bigint as churn, coalesce(reactivation, 0)::bigint as reactivation, closing::bigint as closing,
           coalesce(metered, 0)::bigint as metered, coalesce(paused, 0)::bigint as paused,
           coalesce(temporary, 0)::bigint as temporary, customers::bigint as customers,
           coalesce(customers_new, 0) as customers_new, coalesce(customers_lost, 0) as customers_lost,
           coalesce(customers_back, 0) as customers_back
      from totals t left join parts p on p.currency = t.currency and p.month = t.month
     where t.month in (select month from shown)
     order by t.currency, t.month
    """,
)

COHORTS = Statement(
    Cohort,
    "with "
    + _SHOWN
    + ", "
    + _RUNNING
    + """
    , steps as (
      select currency, cohort, month, sum(net) as net,
             sum(case when before <= 0 and after > 0 then 1 when before > 0 and after <= 0 then -1 else 0 end) as came
        from running where cohort in (select month from shown) group by 1, 2, 3
    ), grid as (
      select c.currency, c.cohort, s.month
        from (select distinct currency, cohort from steps) c join shown s on s.month >= c.cohort
    ), left_over as (
      select g.currency, g.cohort, g.month,
             (sum(coalesce(s.came, 0)) over w)::bigint as customers, (sum(coalesce(s.net, 0)) over w)::bigint as monthly
        from grid g left join steps s on s.currency = g.currency and s.cohort = g.cohort and s.month = g.month
      window w as (partition by g.currency, g.cohort order by g.month)
    ), began as (
      select currency, cohort, customers as size, monthly as opening from left_over where month = cohort
    )
    select l.cohort, l.currency,
           ((extract(year from l.month) - extract(year from l.cohort)) * 12
             + extract(month from l.month) - extract(month from l.cohort))::integer as age,
           b.size, l.customers, l.customers::float8 / b.size as customer_retention, b.opening, l.monthly,
           l.monthly::float8 / nullif(b.opening, 0) as revenue_retention
      from left_over l join began b on b.currency = l.currency and b.cohort = l.cohort
     order by l.currency, l.cohort, l.month
    """,
)

SUBSCRIPTION_COUNTS = Statement(
    SubscriptionCount,
    """
    select coalesce(p.name, nullif(s.product_id, ''), '(none)') as product, s.product_id, s.status, s.currency,
           count(*) as subscriptions, sum(s.monthly)::bigint as monthly, sum(s.metered)::bigint as metered,
           sum(s.paused)::bigint as paused, sum(s.temporary)::bigint as temporary
      from reports.states s
      left join stripe_mirror.products p on p.id = s.product_id
     where s.since < %(until)s and (s.until is null or s.until >= %(until)s)
       and s.status in ('active', 'past_due', 'collection_paused', 'trialing', 'unpaid', 'paused', 'incomplete')
     group by 1, 2, 3, 4
     order by 1, 2, array_position(array['active', 'past_due', 'collection_paused', 'trialing', 'unpaid', 'paused', 'incomplete'],
                                     s.status), 4
    """,
)

# Each row is counted by its own date; a later refund or dispute is a row of its own.
REVENUE = Statement(
    Revenue,
    "with "
    + _SHOWN
    + """
    , parts as (
      select date_trunc('month', paid_at at time zone 'UTC')::date as month, coalesce(currency, 'xxx') as currency,
             count(*) as invoices, sum(amount_paid) as invoiced, 0 as charges, 0::numeric as charged, 0::numeric as refunded,
             0::numeric as disputed
        from stripe_mirror.invoices
       where paid_at < %(until)s and amount_paid > 0 and paid_at >= (select min(month) from shown)::timestamp at time zone 'UTC'
       group by 1, 2
      union all
      select date_trunc('month', stripe_created_at at time zone 'UTC')::date, coalesce(currency, 'xxx'), 0, 0, count(*),
             sum(coalesce(stripe_mirror.json_bigint(data -> 'amount_captured'), amount)), 0, 0
        from stripe_mirror.charges
       where status = 'succeeded' and stripe_mirror.json_boolean(data -> 'captured') is not false
         and stripe_created_at < %(until)s
       group by 1, 2
      union all
      select date_trunc('month', stripe_created_at at time zone 'UTC')::date, coalesce(currency, 'xxx'), 0, 0, 0, 0,
             sum(amount), 0
        from stripe_mirror.refunds
       where status in ('succeeded', 'pending') and stripe_created_at < %(until)s group by 1, 2
      union all
      select date_trunc('month', stripe_created_at at time zone 'UTC')::date, coalesce(currency, 'xxx'), 0, 0, 0, 0,
             0, sum(amount)
        from stripe_mirror.disputes where status = 'lost' and stripe_created_at < %(until)s group by 1, 2
    )
    select month, currency, sum(invoices)::bigint as invoices, sum(invoiced)::bigint as invoiced,
           sum(charges)::bigint as charges, sum(charged)::bigint as charged, sum(refunded)::bigint as refunded,
           sum(disputed)::bigint as disputed, sum(charged - refunded - disputed)::bigint as net
      from parts where month in (select month from shown) group by 1, 2 order by 2, 1
    """,
)

# The event says when an invoice's payment first failed. For fetched invoices without events, more than one attempt, or
# one
# attempt without payment, implies a failure on the invoice's date. The outcome is read from the newest state before
# `until`.
FAILURES = Statement(
    Failure,
    "with "
    + _SHOWN
    + """
    , told as (
      select object_id as id, min(at) as failed_at from stripe_mirror.events
       where type = 'invoice.payment_failed' and at < %(until)s and object_id is not null group by 1
    ), failed as (
      select id, failed_at from told
      union all
      select i.id, i.stripe_created_at from stripe_mirror.invoices i
       where i.stripe_created_at < %(until)s and i.deleted_at is null
         and (i.attempt_count > 1 or (i.attempt_count = 1 and i.status in ('open', 'uncollectible')))
         and not exists (select from told t where t.id = i.id)
    ), ended as (
      select f.id, date_trunc('month', f.failed_at at time zone 'UTC')::date as month, f.failed_at,
             coalesce(stripe_mirror.json_text(was.data -> 'currency'), i.currency, 'xxx') as currency,
             coalesce(stripe_mirror.json_bigint(was.data -> 'amount_due'), i.amount_due, 0) as amount,
             coalesce(stripe_mirror.json_text(was.data -> 'status'), i.status, 'open') as status,
             case when was.data is null then i.paid_at
                  else stripe_mirror.json_timestamp(was.data #> '{status_transitions,paid_at}') end as paid_at
        from failed f
        left join stripe_mirror.invoices i on i.id = f.id
        left join lateral (
          select e.payload #> '{data,object}' as data from stripe_mirror.events e
           where i.event_at is null or i.event_at >= %(until)s
             and e.kind = 'invoices' and e.object_id = f.id and e.at < %(until)s
           order by e.at desc, e.rank desc, e.id collate "C" desc limit 1) was on true
    ), judged as (
      select *, status = 'paid' and coalesce(paid_at, failed_at) < %(until)s as recovered,
             status in ('uncollectible', 'void') as lost
        from ended where month in (select month from shown)
    )
    select month, currency, count(*) as invoices, sum(amount)::bigint as amount,
           count(*) filter (where recovered) as recovered,
           coalesce(sum(amount) filter (where recovered), 0)::bigint as recovered_amount,
           count(*) filter (where lost) as lost, count(*) filter (where not recovered and not lost) as open,
           coalesce(sum(amount) filter (where not recovered and not lost), 0)::bigint as open_amount,
           count(*) filter (where recovered)::float8 / count(*) as recovery,
           percentile_cont(0.5) within group (order by extract(epoch from paid_at - failed_at) / 86400.0)
             filter (where recovered and paid_at >= failed_at) as median_days
      from judged group by 1, 2 order by 2, 1
    """,
)

# The mirror's row is the state before `until` unless it changed later; then the stored event before `until` has it.
RENEWALS = Statement(
    Renewal,
    """
    with live as (
      select s.currency, s.amount,
             case when old.data is null then c.current_period_end
                  else stripe_mirror.period(old.data, 'current_period_end') end as ends,
             case when old.data is null then c.cancel_at_period_end
                  else stripe_mirror.json_boolean(old.data -> 'cancel_at_period_end') end as ending,
             case when old.data is null then c.cancel_at
                  else stripe_mirror.json_timestamp(old.data -> 'cancel_at') end as cancel_at
        from reports.states s
        join stripe_mirror.subscriptions c on c.id = s.subscription_id
        left join lateral (
          select e.payload #> '{data,object}' as data from stripe_mirror.events e
           where c.event_at >= %(until)s and e.kind = 'subscriptions' and e.object_id = c.id and e.at < %(until)s
           order by e.at desc, e.rank desc, e.id collate "C" desc limit 1) old on true
       where s.since < %(until)s and (s.until is null or s.until >= %(until)s) and s.status in ('active', 'past_due', 'trialing')
    ), due as (
      select currency, amount, ends, coalesce(ending, false) or coalesce(cancel_at <= ends, false) as ending from live
       where ends >= %(until)s and ends < %(until)s::timestamptz + make_interval(months => %(months)s)
    )
    select date_trunc('week', ends at time zone 'UTC')::date as week, currency, count(*) filter (where not ending) as renewing,
           coalesce(sum(amount) filter (where not ending), 0)::bigint as amount, count(*) filter (where ending) as ending,
           coalesce(sum(amount) filter (where ending), 0)::bigint as ending_amount
      from due group by 1, 2 order by 2, 1
    """,
)

TERMINATE_LONG_QUERIES = Statement(
    int,
    """
    select count(pg_cancel_backend(pid)) from pg_stat_activity
     where usename = 'vetrina_reporting' and datname = current_database() and state = 'active'
       and query_start < clock_timestamp() - make_interval(secs => %(seconds)s)
    """,
)

REFRESH = Statement(int, "select reports.refresh(%(all)s)")
PROGRESS = Statement(Progress, "select done_until, seconds from reports.progress where part = 'subscriptions'")
DIFFERENCES = Statement(
    Difference,
    """
    with kept as (
      select subscription_id, since, until, status, customer_id, product_id, currency, monthly, change, amount, paused,
             metered, temporary
        from reports.states
    ), wanted as (
      select subscription_id, since, until, status, customer_id, product_id, currency, monthly, change, amount, paused,
             metered, temporary
        from reports.compute_states(null)
    ), moved as (
      select customer_id, currency, month, net, before, cohort from reports.movements
    ), moves as (
      select customer_id, currency, month, net, before, cohort from reports.compute_movements(null)
    ), wrong as (
      select subscription_id as id, since, true as kept, status as what, monthly as amount
        from (select * from kept except select * from wanted) k
      union all
      select subscription_id, since, false, status, monthly from (select * from wanted except select * from kept) w
      union all
      select customer_id, month, true, 'movement', net from (select * from moved except select * from moves) k
      union all
      select customer_id, month, false, 'movement', net from (select * from moves except select * from moved) w
    )
    select id, since, kept, what, amount from wrong order by id, since, kept limit %(limit)s
    """,
)
