-- Reports on what Stripe holds. What a figure was on a past date follows from the mirror's inbox, in which every event is
-- kept; how subscriptions went through time is worked out once and kept here, and can be worked out anew at any time.

create schema reports;

-- The states of a subscription, one after the other. `monthly` is what it brings a month in whole minor units while it is
-- active or past due and 0 otherwise; `change` is that less the state's before; `amount` is what its next renewal brings.
-- `until` is null for the present state.
create table reports.states (
  subscription_id text not null,
  since timestamptz not null,
  until timestamptz,
  status text not null,
  customer_id text not null,
  product_id text not null,
  currency text not null,
  monthly bigint not null,
  change bigint not null,
  amount bigint not null,
  created_at timestamptz not null default now(),
  primary key (subscription_id, since)
);
create index states_by_customer on reports.states (customer_id);
create index states_by_time on reports.states (since);

-- What a customer's months changed: by how much, from what, and the month in which they first paid at all (null: never).
create table reports.movements (
  customer_id text not null,
  currency text not null,
  month date not null,
  net bigint not null,
  before bigint not null,
  cohort date,
  created_at timestamptz not null default now(),
  primary key (customer_id, currency, month)
);

-- How far what is kept here has followed the mirror, and how long the last time took.
create table reports.progress (
  part text primary key,
  done_until timestamptz not null,
  seconds double precision not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger progress_touch before update on reports.progress for each row execute function core.touch();

-- What has come since: the inbox grows at its end, so that this costs next to nothing.
-- squawk-ignore require-concurrent-index-creation
create index events_by_arrival on stripe_mirror.events using brin (created_at) with (autosummarize = on);
-- squawk-ignore require-concurrent-index-creation
create index invoices_by_payment on stripe_mirror.invoices (paid_at) include (currency, amount_paid) where paid_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index events_of_failed_payments on stripe_mirror.events (object_id, at) where type = 'invoice.payment_failed';

-- Every state of these subscriptions (null: of all), from events and from what was fetched. Before it was first seen a
-- subscription is taken to have been as it was then: in its trial until that ended, and if it was found canceled, active
-- until it ended. What Stripe no longer has is deleted from then on.
create function reports.derive(p_ids text[]) returns setof reports.states
language plpgsql stable
-- Few subscriptions are found by their ids, all of them without.
set plan_cache_mode = force_custom_plan as $$
begin
  return query
  with versions as (
    select e.object_id as id, e.at, e.rank, e.id as event_id, stripe_mirror.word(o.data -> 'status') as status,
           stripe_mirror.monthly(o.data) as monthly, reports.period_amount(o.data) as amount,
           stripe_mirror.ref(coalesce(o.data #> '{items,data,0,price,product}', o.data #> '{items,data,0,plan,product}',
                                      o.data #> '{plan,product}')) as product_id,
           stripe_mirror.ref(o.data -> 'customer') as customer_id, stripe_mirror.word(o.data -> 'currency') as currency,
           stripe_mirror.moment(o.data -> 'created') as born, stripe_mirror.moment(o.data -> 'ended_at') as ended,
           stripe_mirror.moment(o.data -> 'trial_end') as tried
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
  ), known as (
    select distinct on (v.id, v.at) v.* from versions v order by v.id, v.at, v.rank desc, v.event_id collate "C" desc
  ), firsts as (
    select distinct on (k.id) k.*, least(k.born, k.at) as begun from known k order by k.id, k.at
  ), told as (
    select k.id, k.at as since, k.status, k.product_id, k.monthly, k.amount from known k
    union all
    select f.id, piece.since, piece.status, f.product_id, f.monthly, f.amount
      from firsts f, lateral (values
        (f.begun, case when f.status not in ('active', 'past_due', 'canceled') then f.status
                       when f.tried > f.begun then 'trialing'
                       when f.status = 'canceled' and f.ended > f.begun then 'active'
                       else f.status end),
        (case when f.tried > f.begun and (f.status in ('active', 'past_due') or f.tried < f.ended) then f.tried end,
         case f.status when 'canceled' then 'active' else f.status end),
        (case when f.status = 'canceled' and f.ended > f.begun then f.ended end, 'canceled')
      ) piece (since, status)
     where piece.since < f.at
  ), ordered as (
    select t.id, t.since, coalesce(t.status, '') as status, coalesce(t.product_id, '') as product_id,
           case when t.status in ('active', 'past_due') then round(least(coalesce(t.monthly, 0), 1e15))::bigint
                else 0 end as monthly,
           t.amount
      from told t
  ), compared as (
    select o.*, lag(o.status) over w is distinct from o.status or lag(o.product_id) over w is distinct from o.product_id
                or lag(o.monthly) over w is distinct from o.monthly or lag(o.amount) over w is distinct from o.amount as differs
      from ordered o window w as (partition by o.id order by o.since)
  ), kept as (
    select c.*, lead(c.since) over w as until, c.monthly - coalesce(lag(c.monthly) over w, 0) as change
      from compared c where c.differs window w as (partition by c.id order by c.since)
  ), whose as (
    -- Stripe changes neither after the beginning.
    select distinct on (k.id) k.id, coalesce(k.customer_id, '') as customer_id, coalesce(k.currency, 'xxx') as currency
      from known k order by k.id, k.at desc
  )
  select k.id, k.since, k.until, k.status, w.customer_id, k.product_id, w.currency, k.monthly, k.change, k.amount, now()
    from kept k join whose w on w.id = k.id;
end
$$;

-- Every movement of these customers (null: of all) from the states that are kept.
create function reports.move(p_customers text[]) returns setof reports.movements
language plpgsql stable
set plan_cache_mode = force_custom_plan as $$
begin
  return query
  with changes as (
    select s.customer_id, s.currency, date_trunc('month', s.since at time zone 'UTC')::date as month, sum(s.change)::bigint as net
      from reports.states s
     where s.change <> 0 and (p_customers is null or s.customer_id = any (p_customers)) group by 1, 2, 3
  ), sums as (
    select c.*, (sum(c.net) over (partition by c.customer_id, c.currency order by c.month))::bigint as after from changes c
  )
  select s.customer_id, s.currency, s.month, s.net, s.after - s.net,
         min(s.month) filter (where s.after > 0) over (partition by s.customer_id, s.currency), now()
    from sums s;
end
$$;

-- Follow the mirror: work out anew what has news since the last time, or everything. How many subscriptions that were;
-- null when another has been at it for 5 s. What a transaction wrote bears the time at which it began, so nothing is missed
-- that is still to be committed; what is worked out twice comes out the same.
create function reports.refresh(p_all boolean) returns bigint
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
    insert into reports.states select * from reports.derive(null);
    insert into reports.movements select * from reports.move(null);
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
        insert into reports.states select * from reports.derive(v_ids) returning customer_id
      )
      select v_customers || array_agg(distinct customer_id) into v_customers from come;
      delete from reports.movements where customer_id = any (v_customers);
      insert into reports.movements select * from reports.move(v_customers);
    end if;
  end if;
  insert into reports.progress (part, done_until, seconds)
  values ('subscriptions', v_until, extract(epoch from clock_timestamp() - v_began))
  on conflict (part) do update set done_until = excluded.done_until, seconds = excluded.seconds;
  return v_count;
end
$$;

-- Which keys the metadata of members have, how many have each, and the commonest values.
create table reports.metadata_keys (
  kind text not null,
  key text not null,
  holders bigint not null,
  distinct_values bigint not null,
  commonest jsonb not null,
  created_at timestamptz not null default now(),
  primary key (kind, key)
);

-- Count them again when something has changed, but in no more than a twentieth of the time, and while somebody waits only
-- where there are few to count. Whether it was done.
create function reports.count_metadata(p_waiting boolean) returns boolean
language plpgsql as $$
declare
  v_began timestamptz := clock_timestamp();
  v_last reports.progress;
begin
  if not pg_try_advisory_xact_lock(hashtext('reports.count_metadata')) then
    return false;
  end if;
  select * into v_last from reports.progress where part = 'metadata';
  if p_waiting and (select sum(reltuples) > 100000 from pg_class
                     where oid in ('stripe_mirror.customers'::regclass, 'stripe_mirror.subscriptions'::regclass)) then
    return false;
  end if;
  if v_last.part is not null and (v_last.done_until + make_interval(secs => 20 * v_last.seconds) > v_began or not (
      exists (select from stripe_mirror.customers where synced_at >= v_last.done_until)
      or exists (select from stripe_mirror.subscriptions where synced_at >= v_last.done_until))) then
    return false;
  end if;
  delete from reports.metadata_keys;
  insert into reports.metadata_keys (kind, key, holders, distinct_values, commonest)
  with pairs as (
    select 'customers' as kind, m.key, m.value, count(*) as held
      from stripe_mirror.customers c, jsonb_each_text(c.metadata) m where c.deleted_at is null group by m.key, m.value
    union all
    select 'subscriptions', m.key, m.value, count(*)
      from stripe_mirror.subscriptions s, jsonb_each_text(s.metadata) m where s.deleted_at is null group by m.key, m.value
  ), ranked as (
    select *, row_number() over (partition by kind, key order by held desc, value) as place from pairs
  )
  select kind, key, sum(held)::bigint, count(*),
         coalesce(jsonb_agg(jsonb_build_object('value', value, 'count', held) order by place)
                    filter (where place <= 50 and length(value) <= 200), '[]')
    from ranked where length(key) <= 200 group by kind, key;
  insert into reports.progress (part, done_until, seconds)
  values ('metadata', v_began - interval '1 minute', extract(epoch from clock_timestamp() - v_began))
  on conflict (part) do update set done_until = excluded.done_until, seconds = excluded.seconds;
  return true;
end
$$;

-- Searches that people keep: {"q": text, "metadata": {key: value}, "subscription": {key: value}}.
create table reports.searches (
  account_id uuid not null,
  id uuid not null,
  name text not null,
  kind text not null,
  filters jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint search_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint search_name_taken unique (account_id, name),
  constraint search_name_length check (length(name) between 1 and 80),
  constraint search_kind_known check (kind in ('customers', 'subscriptions'))
);
create trigger searches_touch before update on reports.searches for each row execute function core.touch();

-- What an item brings each time, in minor units; metered use nothing.
create function reports.item_amount(p_item jsonb) returns numeric
language sql immutable parallel safe as $$
  select case when coalesce(price #>> '{recurring,usage_type}', price ->> 'usage_type') = 'metered' then 0
              else coalesce(stripe_mirror.whole(price -> 'unit_amount')::numeric,
                            case when price ->> 'unit_amount_decimal' ~ '^-?\d{1,20}(\.\d{1,20})?$'
                                 then (price ->> 'unit_amount_decimal')::numeric end, stripe_mirror.whole(price -> 'amount'), 0)
                   * coalesce(stripe_mirror.whole(p_item -> 'quantity'), 1) end
    from (select coalesce(nullif(p_item -> 'price', 'null'), p_item -> 'plan') as price) priced
$$;

-- What the next renewal of a subscription brings: its one item, or those whose period ends first.
create function reports.period_amount(p_data jsonb) returns bigint
language sql immutable parallel safe as $$
  select round(least(case jsonb_array_length(stripe_mirror.elements(p_data #> '{items,data}'))
    when 0 then 0
    when 1 then reports.item_amount(p_data #> '{items,data,0}')
    else (select sum(reports.item_amount(item))
            from jsonb_array_elements(stripe_mirror.elements(p_data #> '{items,data}')) item
           where coalesce(stripe_mirror.moment(item -> 'current_period_end'), '-infinity')
                 <= coalesce(stripe_mirror.period(p_data, 'current_period_end'), 'infinity')) end, 1e15))::bigint
$$;
