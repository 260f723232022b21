-- The states of subscriptions with their whole worth. A subscription whose collection is paused stays active at Stripe; here its
-- status is collection_paused: it brings nothing, and what it would bring is counted apart.

alter table reports.states
  add column paused bigint not null default 0,
  add column metered bigint not null default 0,
  add column temporary bigint not null default 0;
-- squawk-ignore require-concurrent-index-creation
create index states_with_parts on reports.states (since) where paused <> 0 or metered <> 0 or temporary <> 0;

-- A subscription as an event or a list showed it; `next_at` is the time of the next one. The first one has `started`, when
-- the subscription was created, if that is earlier. `varies` if its worth changes without an event of its own: by invoices,
-- or when a discount ends.
create type reports.version as (
  id text, at timestamptz, next_at timestamptz, started timestamptz, event_id text, status text, product_id text,
  customer_id text, currency text, ended timestamptz, trial_end timestamptz, varies boolean, worth reports.worth
);

create function reports.status_of(p_data jsonb) returns text language sql immutable parallel safe as $$
  select case when p_data ->> 'status' in ('active', 'past_due') and jsonb_typeof(p_data -> 'pause_collection') = 'object'
              then 'collection_paused' else stripe_mirror.json_text(p_data -> 'status') end
$$;

-- Every version of these subscriptions (null: of all). An object that Stripe no longer has is deleted from then on.
create function reports.subscription_versions(p_ids text[]) returns setof reports.version
language plpgsql stable
-- Few subscriptions are found by their ids, all of them without.
set plan_cache_mode = force_custom_plan as $$
begin
  return query
  with objects as (
    select e.object_id as id, e.at, e.rank, e.id as event_id, e.payload #> '{data,object}' as data, false as deleted
      from stripe_mirror.events e where e.kind = 'subscriptions' and (p_ids is null or e.object_id = any (p_ids))
    union all
    select s.id, s.event_at, s.event_rank, s.event_id, s.data, false from stripe_mirror.subscriptions s
     where s.event_rank = 0 and isfinite(s.event_at) and (p_ids is null or s.id = any (p_ids))
    union all
    select s.id, s.deleted_at, 9::smallint, '', s.data, true from stripe_mirror.subscriptions s
     where s.deleted_at is not null and (p_ids is null or s.id = any (p_ids))
  ), versions as (
    select o.id, o.at, o.rank, o.event_id, case when o.deleted then 'deleted' else reports.status_of(o.data) end as status,
           stripe_mirror.json_id(coalesce(o.data #> '{items,data,0,price,product}', o.data #> '{items,data,0,plan,product}',
                                          o.data #> '{plan,product}')) as product_id,
           stripe_mirror.json_id(o.data -> 'customer') as customer_id, stripe_mirror.json_text(o.data -> 'currency') as currency,
           stripe_mirror.json_timestamp(o.data -> 'created') as created, stripe_mirror.json_timestamp(o.data -> 'ended_at') as ended,
           stripe_mirror.json_timestamp(o.data -> 'trial_end') as trial_end,
           not o.deleted and (reports.priced_by_invoice(o.data) or reports.has_discounts(o.data)) as varies,
           case when o.deleted then row (0, 0, 0, 0)::reports.worth
                else reports.worth(o.data, case when reports.priced_by_invoice(o.data) then reports.billed(o.id, o.at) end, o.at)
            end as worth
      from objects o
  ), latest as (
    select distinct on (v.id, v.at) v.* from versions v order by v.id, v.at, v.rank desc, v.event_id collate "C" desc
  )
  select l.id, l.at, lead(l.at) over w, case when row_number() over w = 1 and l.created < l.at then l.created end, l.event_id,
         coalesce(l.status, ''), coalesce(l.product_id, ''), l.customer_id, l.currency, l.ended, l.trial_end, l.varies, l.worth
    from latest l window w as (partition by l.id order by l.at);
end
$$;

-- The statuses that the first version of a subscription implies for the time before it.
create function reports.earlier_statuses(p reports.version) returns table (since timestamptz, status text)
language sql immutable parallel safe as $$
  select piece.since, piece.status
    from (values
      (p.started, case when p.status not in ('active', 'past_due', 'collection_paused', 'canceled') then p.status
                       when p.trial_end > p.started then 'trialing'
                       when p.status = 'canceled' and p.ended > p.started then 'active'
                       else p.status end),
      (case when p.trial_end > p.started and (p.status in ('active', 'past_due', 'collection_paused') or p.trial_end < p.ended)
            then p.trial_end end,
       case p.status when 'canceled' then 'active' else p.status end),
      (case when p.status = 'canceled' and p.ended > p.started then p.ended end, 'canceled')
    ) piece (since, status)
   where piece.since < p.at
$$;

-- What a version that varies is worth at its later moments, until the next one: when an invoice is finalized or voided, and when
-- a discount ends. The first version is taken to have been the same since the subscription was created.
create function reports.later_worths(p reports.version) returns table (since timestamptz, worth reports.worth)
language plpgsql stable
set plan_cache_mode = force_custom_plan as $$
declare
  v_data jsonb;
  v_items jsonb;
  v_currency text;
  v_moments timestamptz[];
begin
  if p.event_id like '.%' then
    select s.data into v_data from stripe_mirror.subscriptions s where s.id = p.id;
  else
    select e.payload #> '{data,object}' into v_data from stripe_mirror.events e where e.id = p.event_id;
  end if;
  v_items := stripe_mirror.json_array(v_data #> '{items,data}');
  v_currency := stripe_mirror.json_text(v_data -> 'currency');
  if reports.priced_by_invoice(v_data) then
    select array_agg(stripe_mirror.json_timestamp(i.data #> array['status_transitions', field])) into v_moments
      from stripe_mirror.invoices i, unnest(array['finalized_at', 'voided_at']) field where i.subscription_id = p.id;
  end if;
  for n in 0 .. jsonb_array_length(v_items) loop  -- the items, then the subscription
    v_moments := v_moments || array(
      select stripe_mirror.json_timestamp(terms -> 'ends')
        from jsonb_array_elements(reports.active_terms(coalesce(v_items -> n, v_data), v_currency, '-infinity', array['repeating'])) terms);
  end loop;
  return query
  select m.since, reports.worth(v_data, case when reports.priced_by_invoice(v_data) then reports.billed(p.id, m.since) end, m.since)
    from (select distinct moment as since from unnest(v_moments || p.started) moment) m
   where m.since >= coalesce(p.started, p.at) and m.since <> p.at and (p.next_at is null or m.since < p.next_at);
end
$$;

-- Every state of these subscriptions (null: of all). Before it was first seen a subscription is taken to have been as it was
-- then: in its trial until that ended, and if it was canceled, active until it ended.
create or replace function reports.compute_states(p_ids text[]) returns setof reports.states
language plpgsql stable
set plan_cache_mode = force_custom_plan as $$
begin
  return query
  with versions as materialized (
    select v.* from reports.subscription_versions(p_ids) v
  ), statuses as (
    select v.id, v.at as since, v.status, v.product_id from versions v
    union all
    select v.id, piece.since, piece.status, v.product_id from versions v, lateral reports.earlier_statuses(v) piece
     where v.started is not null
  ), worths as (
    select v.id, v.at as since, v.worth from versions v
    union all
    select v.id, v.started, v.worth from versions v where v.started is not null and not v.varies
    union all
    select v.id, later.since, later.worth from versions v, lateral reports.later_worths(v) later where v.varies
  ), marks as (
    select m.id, m.since, max(m.status) as status, max(m.product_id) as product_id, max(m.monthly) as monthly,
           max(m.metered) as metered, max(m.temporary) as temporary, max(m.amount) as amount
      from (select s.id, s.since, s.status, s.product_id, null::numeric as monthly, null::numeric as metered,
                   null::numeric as temporary, null::numeric as amount from statuses s
            union all
            select w.id, w.since, null, null, (w.worth).monthly, (w.worth).metered, (w.worth).temporary, (w.worth).amount
              from worths w) m group by m.id, m.since
  ), numbered as (
    select m.*, count(m.status) over w as of_status, count(m.monthly) over w as of_worth
      from marks m window w as (partition by m.id order by m.since)
  ), filled as (
    select n.id, n.since, max(n.status) over s as status, max(n.product_id) over s as product_id,
           max(n.status) over s in ('active', 'past_due') as counts, max(n.status) over s = 'collection_paused' as pauses,
           reports.minor(max(n.monthly) over w) as monthly, reports.minor(max(n.metered) over w) as metered,
           reports.minor(max(n.temporary) over w) as temporary, reports.minor(max(n.amount) over w) as amount
      from numbered n window s as (partition by n.id, n.of_status), w as (partition by n.id, n.of_worth)
  ), changed as (
    select f.*, f.counts::integer * f.monthly as now_monthly, f.pauses::integer * f.monthly as now_paused,
           lag(row (f.status, f.product_id, f.monthly, f.metered, f.temporary, f.amount)) over w
             is distinct from row (f.status, f.product_id, f.monthly, f.metered, f.temporary, f.amount) as differs
      from filled f window w as (partition by f.id order by f.since)
  ), owners as (
    -- Stripe changes neither after the beginning.
    select distinct on (v.id) v.id, coalesce(v.customer_id, '') as customer_id, coalesce(v.currency, 'xxx') as currency
      from versions v order by v.id, v.at desc
  )
  select c.id, c.since, lead(c.since) over w, c.status, o.customer_id, c.product_id, o.currency, c.now_monthly,
         c.now_monthly - coalesce(lag(c.now_monthly) over w, 0), c.amount, now(), c.now_paused, c.counts::integer * c.metered,
         c.counts::integer * c.temporary
    from changed c join owners o on o.id = c.id where c.differs window w as (partition by c.id order by c.since);
end
$$;
