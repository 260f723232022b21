-- Functions of the Stripe mirror, under the new names of what they use. `mirror` writes the tables and merges of kinds that are
-- added later; those that exist keep theirs, whose generated columns follow the renamed functions by themselves.

-- The billing period of a subscription. Until 2025-03-31 it had one; since then each of its items has, and the one that ends first
-- counts. (This one and the next read item by item in plpgsql, which is several times quicker here than a query.)
create or replace function stripe_mirror.period(p_data jsonb, p_field text) returns timestamptz
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb;
  v_end timestamptz;
  v_first timestamptz := 'infinity';
  v_found timestamptz := stripe_mirror.json_timestamp(p_data -> p_field);
begin
  if v_found is not null then
    return v_found;
  end if;
  v_items := stripe_mirror.json_array(p_data #> '{items,data}');
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    v_end := stripe_mirror.json_timestamp(v_items -> i -> 'current_period_end');
    if v_end < v_first then
      v_first := v_end;
      v_found := stripe_mirror.json_timestamp(v_items -> i -> p_field);
    end if;
  end loop;
  return v_found;
end
$$;

-- What a subscription brings a month, in minor units: price by quantity, spread over its interval. Metered use and prices in
-- tiers are known only from invoices and count nothing; a discount is not taken off.
create or replace function stripe_mirror.monthly(p_data jsonb) returns numeric
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.json_array(p_data #> '{items,data}');
  v_price jsonb;
  v_every jsonb;
  v_amount numeric;
  v_sum numeric := 0;
begin
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    v_price := coalesce(nullif(v_items -> i -> 'price', 'null'), v_items -> i -> 'plan');
    v_every := coalesce(nullif(v_price -> 'recurring', 'null'), v_price);  -- a plan has it at the top
    if coalesce(v_every ->> 'usage_type', 'licensed') = 'metered' then
      continue;
    end if;
    v_amount := stripe_mirror.json_bigint(v_price -> 'unit_amount');
    if v_amount is null and v_price ->> 'unit_amount_decimal' ~ '^-?\d{1,20}(\.\d{1,20})?$' then
      v_amount := (v_price ->> 'unit_amount_decimal')::numeric;
    end if;
    v_sum := v_sum + coalesce(v_amount, 0) * coalesce(stripe_mirror.json_bigint(v_items -> i -> 'quantity'), 1)
      * case v_every ->> 'interval'
          when 'day' then 365 / 12.0 when 'week' then 365 / 84.0 when 'month' then 1 when 'year' then 1 / 12.0 else 0 end
      / greatest(coalesce(stripe_mirror.json_bigint(v_every -> 'interval_count'), 1), 1);
  end loop;
  return v_sum;
end
$$;

-- Begin to mirror a kind: its table, with its own columns after the common ones, and the function that merges into it.
create or replace function stripe_mirror.mirror(p_name text, p_object text, p_deleted_by text, p_columns text, p_indexed text[] default '{}')
returns void
language plpgsql as $$
declare
  v_column text;
begin
  insert into stripe_mirror.kinds (name, object, deleted_by) values (p_name, p_object, p_deleted_by);
  execute format($table$
    create table stripe_mirror.%1$I (
      id text primary key,
      data jsonb not null,
      event_at timestamptz not null,
      event_rank smallint not null,
      event_id text collate "C" not null,
      deleted_at timestamptz,
      livemode boolean generated always as (stripe_mirror.json_boolean(data -> 'livemode')) stored,
      stripe_created_at timestamptz generated always as (stripe_mirror.json_timestamp(data -> 'created')) stored,
      metadata jsonb not null generated always as (stripe_mirror.json_object(data -> 'metadata')) stored,
      %2$s,
      synced_at timestamptz not null default clock_timestamp(),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    alter table stripe_mirror.%1$I alter column data set storage external;
    create index %3$I on stripe_mirror.%1$I using gin (metadata jsonb_path_ops);
    create index %5$I on stripe_mirror.%1$I using brin (synced_at);
    create trigger %4$I before update on stripe_mirror.%1$I for each row execute function core.touch();
  $table$, p_name, p_columns, p_name || '_by_metadata', p_name || '_touch',
     p_name || '_by_syncing');
  foreach v_column in array p_indexed loop
    execute format('create index %I on stripe_mirror.%I (%I)', p_name || '_by_' || v_column, p_name, v_column);
  end loop;
  execute format($merge$
    -- Keep the newest by (time, rank, event), in whatever order they arrive; a deletion stays. How many rows changed.
    create function stripe_mirror.%2$I(p_versions stripe_mirror.version[]) returns bigint language plpgsql as $body$
    declare
      v_changed bigint;
      v_cut text[];
    begin
      with newest as (
        select distinct on (v.id) v.id, v.data, v.at, v.rank, v.event_id, min(v.deleted_at) over (partition by v.id) as deleted_at
          from unnest(p_versions) v order by v.id, v.at desc, v.rank desc, v.event_id collate "C" desc
      ), merged as (
        insert into stripe_mirror.%1$I as held (id, data, event_at, event_rank, event_id, deleted_at)
        select id, data, at, rank, event_id, deleted_at from newest
        on conflict (id) do update
           set data = case when %3$s then excluded.data else held.data end,
               event_at = case when %3$s then excluded.event_at else held.event_at end,
               event_rank = case when %3$s then excluded.event_rank else held.event_rank end,
               event_id = case when %3$s then excluded.event_id else held.event_id end,
               deleted_at = least(held.deleted_at, excluded.deleted_at), synced_at = clock_timestamp()
         where %3$s or excluded.deleted_at < coalesce(held.deleted_at, 'infinity')
        returning id, data
      )
      select count(*), array_agg(id) filter (where jsonb_path_exists(data, '$.*.has_more ? (@ == true)'))
        into v_changed, v_cut from merged;
      if v_cut is not null then
        insert into stripe_mirror.unsettled (kind, object_id, reason, at)
        select %1$L, id, 'list', event_at from stripe_mirror.%1$I where id = any (v_cut) order by id
        on conflict (kind, object_id) do update set reason = excluded.reason, at = greatest(unsettled.at, excluded.at);
      end if;
      return v_changed;
    end
    $body$ $merge$, p_name, 'merge_' || p_name,
    '(excluded.event_at, excluded.event_rank, excluded.event_id) > (held.event_at, held.event_rank, held.event_id)');
  -- The merge of a kind by its name, without planning a call each time.
  execute (
    select 'create or replace function stripe_mirror.merge(p_kind text, p_versions stripe_mirror.version[]) returns bigint '
           'language plpgsql as $body$ begin case p_kind '
           || string_agg(format('when %L then return stripe_mirror.%I(p_versions);', name, 'merge_' || name), ' ' order by name)
           || ' end case; end $body$'
      from stripe_mirror.kinds);
  -- Every object of whatever kind, for what asks them all alike.
  execute (
    select 'create or replace view stripe_mirror.objects as ' || string_agg(format(
             'select %L::text as kind, id, data, event_at, event_rank, event_id, deleted_at, synced_at from stripe_mirror.%I',
             name, name), ' union all ' order by name)
      from stripe_mirror.kinds);
end
$$;

-- squawk-ignore ban-drop-function
drop function stripe_mirror.take;
-- Ingest events: into the inbox and into their tables, together. An event that arrived before changes nothing. Returns the
-- ids of the new ones. `p_forwarded` are patterns of the event types that are passed on to payments.
-- Its plans are made once a connection (planning each call costs more than a small batch), and so that they stay good while
-- the tables grow: by index, row by row.
create function stripe_mirror.ingest_events(p_events jsonb, p_originals jsonb, p_forwarded text[]) returns text[]
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off as $$
declare
  v_new text[];
  v_kind record;
  v_ties stripe_mirror.unsettled[];
begin
  with given as (
    select distinct on (e ->> 'id') e ->> 'id' as id, e ->> 'type' as type, k.name as kind, e #>> '{data,object,id}' as object_id,
           stripe_mirror.json_timestamp(e -> 'created') as at, stripe_mirror.event_order(e ->> 'type') as rank, e as payload,
           decode(p_originals ->> (e ->> 'id'), 'base64') as original
      from jsonb_array_elements(p_events) e
      left join stripe_mirror.kinds k on k.object = e #>> '{data,object,object}' and e #>> '{data,object,id}' is not null
     order by e ->> 'id'
  ), added as (
    insert into stripe_mirror.events (id, type, kind, object_id, at, rank, payload, original)
    select id, type, kind, object_id, at, rank, payload, original from given
    on conflict (id) do nothing
    returning id
  )
  select coalesce(array_agg(id), '{}') into v_new from added;

  for v_kind in
    select k.name, array_agg(stripe_mirror.version(e.payload #> '{data,object}', e.at, e.rank, e.id, e.type = k.deleted_by)
                             order by e.object_id) as versions
      from stripe_mirror.events e join stripe_mirror.kinds k on k.name = e.kind
     where e.id = any (v_new) group by k.name order by k.name
  loop
    perform stripe_mirror.merge(v_kind.name, v_kind.versions);
  end loop;

  -- Events of one second that left an object different: which was the last?
  select array_agg((e.kind, e.object_id, 'tie', e.at, 0, null, null, null)::stripe_mirror.unsettled) into v_ties
    from stripe_mirror.events e
    join stripe_mirror.events o on o.kind = e.kind and o.object_id = e.object_id and o.at = e.at and o.rank = e.rank and o.id <> e.id
   where e.id = any (v_new) and e.payload #> '{data,object}' <> o.payload #> '{data,object}';
  if v_ties is not null then
    insert into stripe_mirror.unsettled (kind, object_id, reason, at)
    select kind, object_id, reason, max(at) from unnest(v_ties) group by kind, object_id, reason order by 1, 2
    on conflict (kind, object_id) do update set at = greatest(unsettled.at, excluded.at);
  end if;

  if cardinality(p_forwarded) > 0 then
    perform core.enqueue('payments.stripe_event', jsonb_build_object('event_id', e.id), 'payments')
       from stripe_mirror.events e where e.id = any (v_new) and e.type like any (p_forwarded);
  end if;
  return v_new;
end
$$;
