-- Functions of reports, under the new names of what they use.

-- Every state of these subscriptions (null: of all), from events and from what was fetched. Before it was first seen a
-- subscription is taken to have been as it was then: in its trial until that ended, and if it was canceled, active until it
-- ended. An object that Stripe no longer has is deleted from then on.
create or replace function reports.compute_states(p_ids text[]) returns setof reports.states
language plpgsql stable
-- Few subscriptions are found by their ids, all of them without.
set plan_cache_mode = force_custom_plan as $$
begin
  return query
  with versions as (
    select e.object_id as id, e.at, e.rank, e.id as event_id, stripe_mirror.json_text(o.data -> 'status') as status,
           stripe_mirror.monthly(o.data) as monthly, reports.period_amount(o.data) as amount,
           stripe_mirror.json_id(coalesce(o.data #> '{items,data,0,price,product}', o.data #> '{items,data,0,plan,product}',
                                      o.data #> '{plan,product}')) as product_id,
           stripe_mirror.json_id(o.data -> 'customer') as customer_id, stripe_mirror.json_text(o.data -> 'currency') as currency,
           stripe_mirror.json_timestamp(o.data -> 'created') as created, stripe_mirror.json_timestamp(o.data -> 'ended_at') as ended,
           stripe_mirror.json_timestamp(o.data -> 'trial_end') as trial_end
      from stripe_mirror.events e, lateral (select e.payload #> '{data,object}' as data) o
     where e.kind = 'subscriptions' and (p_ids is null or e.object_id = any (p_ids))
    union all
    select s.id, s.event_at, s.event_rank, s.event_id, s.status, s.monthly_amount, reports.period_amount(s.data), s.product_id, s.customer_id, s.currency,
           s.stripe_created_at, s.ended_at, s.trial_end
      from stripe_mirror.subscriptions s
     where s.event_rank = 0 and isfinite(s.event_at) and (p_ids is null or s.id = any (p_ids))
    union all
    select s.id, s.deleted_at, 9::smallint, '', 'deleted', 0, 0, s.product_id, s.customer_id, s.currency, null, null, null
      from stripe_mirror.subscriptions s
     where s.deleted_at is not null and (p_ids is null or s.id = any (p_ids))
  ), latest as (
    select distinct on (v.id, v.at) v.* from versions v order by v.id, v.at, v.rank desc, v.event_id collate "C" desc
  ), firsts as (
    select distinct on (k.id) k.*, least(k.created, k.at) as started from latest k order by k.id, k.at
  ), pieces as (
    select k.id, k.at as since, k.status, k.product_id, k.monthly, k.amount from latest k
    union all
    select f.id, piece.since, piece.status, f.product_id, f.monthly, f.amount
      from firsts f, lateral (values
        (f.started, case when f.status not in ('active', 'past_due', 'canceled') then f.status
                       when f.trial_end > f.started then 'trialing'
                       when f.status = 'canceled' and f.ended > f.started then 'active'
                       else f.status end),
        (case when f.trial_end > f.started and (f.status in ('active', 'past_due') or f.trial_end < f.ended) then f.trial_end end,
         case f.status when 'canceled' then 'active' else f.status end),
        (case when f.status = 'canceled' and f.ended > f.started then f.ended end, 'canceled')
      ) piece (since, status)
     where piece.since < f.at
  ), ordered as (
    select t.id, t.since, coalesce(t.status, '') as status, coalesce(t.product_id, '') as product_id,
           case when t.status in ('active', 'past_due') then round(least(coalesce(t.monthly, 0), 1e15))::bigint
                else 0 end as monthly,
           t.amount
      from pieces t
  ), compared as (
    select o.*, lag(o.status) over w is distinct from o.status or lag(o.product_id) over w is distinct from o.product_id
                or lag(o.monthly) over w is distinct from o.monthly or lag(o.amount) over w is distinct from o.amount as differs
      from ordered o window w as (partition by o.id order by o.since)
  ), changed as (
    select c.*, lead(c.since) over w as until, c.monthly - coalesce(lag(c.monthly) over w, 0) as change
      from compared c where c.differs window w as (partition by c.id order by c.since)
  ), owners as (
    -- Stripe changes neither after the beginning.
    select distinct on (k.id) k.id, coalesce(k.customer_id, '') as customer_id, coalesce(k.currency, 'xxx') as currency
      from latest k order by k.id, k.at desc
  )
  select k.id, k.since, k.until, k.status, w.customer_id, k.product_id, w.currency, k.monthly, k.change, k.amount, now()
    from changed k join owners w on w.id = k.id;
end
$$;

-- Follow the mirror: recompute what has news since the last time, or everything. Returns how many subscriptions that were; null
-- when another session has been doing it for 5 s. A transaction's rows have the time at which it began, so nothing that is still
-- to be committed is missed; what is computed twice comes out the same.
create or replace function reports.refresh(p_all boolean) returns bigint
language plpgsql as $$
declare
  v_began timestamptz := clock_timestamp();
  v_done timestamptz;
  v_until timestamptz;
  v_ids text[];
  v_customers text[];
  v_count bigint;
begin
  begin
    perform set_config('lock_timeout', '5s', true), pg_advisory_xact_lock(hashtext('reports.refresh'));
  exception when lock_not_available then
    return null;
  end;
  select done_until into v_done from reports.progress where part = 'subscriptions';
  v_until := least(clock_timestamp(), (select min(xact_start) from pg_stat_activity
                                        where datname = current_database() and pid <> pg_backend_pid())) - interval '1 second';
  if p_all or v_done is null then
    delete from reports.states;
    delete from reports.movements;
    insert into reports.states select * from reports.compute_states(null);
    insert into reports.movements select * from reports.compute_movements(null);
    select count(distinct subscription_id) into v_count from reports.states;
  else
    select array_agg(id) into v_ids from (
      select object_id as id from stripe_mirror.events where kind = 'subscriptions' and created_at >= v_done
      union
      select id from stripe_mirror.subscriptions where synced_at >= v_done) news;
    v_count := coalesce(cardinality(v_ids), 0);
    if v_count > 0 then
      with gone as (
        delete from reports.states where subscription_id = any (v_ids) returning customer_id
      )
      select array_agg(distinct customer_id) into v_customers from gone;
      with come as (
        insert into reports.states select * from reports.compute_states(v_ids) returning customer_id
      )
      select v_customers || array_agg(distinct customer_id) into v_customers from come;
      delete from reports.movements where customer_id = any (v_customers);
      insert into reports.movements select * from reports.compute_movements(v_customers);
    end if;
  end if;
  insert into reports.progress (part, done_until, seconds)
  values ('subscriptions', v_until, extract(epoch from clock_timestamp() - v_began))
  on conflict (part) do update set done_until = excluded.done_until, seconds = excluded.seconds;
  return v_count;
end
$$;

-- What an item brings each time, in minor units; metered use brings nothing.
create or replace function reports.item_amount(p_item jsonb) returns numeric
language sql immutable parallel safe as $$
  select case when coalesce(price #>> '{recurring,usage_type}', price ->> 'usage_type') = 'metered' then 0
              else coalesce(stripe_mirror.json_bigint(price -> 'unit_amount')::numeric,
                            case when price ->> 'unit_amount_decimal' ~ '^-?\d{1,20}(\.\d{1,20})?$'
                                 then (price ->> 'unit_amount_decimal')::numeric end, stripe_mirror.json_bigint(price -> 'amount'), 0)
                   * coalesce(stripe_mirror.json_bigint(p_item -> 'quantity'), 1) end
    from (select coalesce(nullif(p_item -> 'price', 'null'), p_item -> 'plan') as price) priced
$$;

-- What the next renewal of a subscription brings: its one item, or those whose period ends first.
create or replace function reports.period_amount(p_data jsonb) returns bigint
language sql immutable parallel safe as $$
  select round(least(case jsonb_array_length(stripe_mirror.json_array(p_data #> '{items,data}'))
    when 0 then 0
    when 1 then reports.item_amount(p_data #> '{items,data,0}')
    else (select sum(reports.item_amount(item))
            from jsonb_array_elements(stripe_mirror.json_array(p_data #> '{items,data}')) item
           where coalesce(stripe_mirror.json_timestamp(item -> 'current_period_end'), '-infinity')
                 <= coalesce(stripe_mirror.period(p_data, 'current_period_end'), 'infinity')) end, 1e15))::bigint
$$;
