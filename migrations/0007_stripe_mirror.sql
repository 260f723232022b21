-- A live copy of what Stripe holds. Each kind of object has a table: the object as Stripe sent it in `data`, documented
-- columns generated from it, so that they cannot drift. Events come in any order, so a row is replaced only by what is
-- newer. There are no foreign keys between the kinds, because an invoice may come before its customer.

create schema stripe_mirror;

-- What Stripe writes, read without ever failing: a field that is missing or of an unknown shape is null. Not in
-- SQL: that would be parsed and planned into every generated column anew for each statement, at twenty times the cost.
create function stripe_mirror.moment(p jsonb) returns timestamptz language plpgsql immutable parallel safe as $$
begin
  return case when jsonb_typeof(p) = 'number' then
    case when p::numeric between -62135596800 and 253402300799 then to_timestamp(p::numeric::double precision) end end;
end
$$;
create function stripe_mirror.whole(p jsonb) returns bigint language plpgsql immutable parallel safe as $$
begin
  return case when jsonb_typeof(p) = 'number' then
    case when p::numeric between -9223372036854775808 and 9223372036854775807 then p::numeric::bigint end end;
end
$$;
create function stripe_mirror.flag(p jsonb) returns boolean language plpgsql immutable parallel safe as $$
begin
  return case when jsonb_typeof(p) = 'boolean' then p::boolean end;
end
$$;
create function stripe_mirror.word(p jsonb) returns text language plpgsql immutable parallel safe as $$
begin
  return case when jsonb_typeof(p) = 'string' then p #>> '{}' end;
end
$$;
-- Another object's id, whether it was sent as an id or expanded.
create function stripe_mirror.ref(p jsonb) returns text language plpgsql immutable parallel safe as $$
begin
  return case jsonb_typeof(p) when 'string' then p #>> '{}' when 'object' then p ->> 'id' end;
end
$$;
create function stripe_mirror.keys(p jsonb) returns jsonb language plpgsql immutable parallel safe as $$
begin
  return case when jsonb_typeof(p) = 'object' then p else '{}'::jsonb end;
end
$$;
create function stripe_mirror.elements(p jsonb) returns jsonb language plpgsql immutable parallel safe as $$
begin
  return case when jsonb_typeof(p) = 'array' then p else '[]'::jsonb end;
end
$$;

-- Until 2025-03-31 a subscription had one billing period; since then each of its items has. The one that ends first tells.
-- (These two read item by item in plpgsql, which is several times quicker here than a query.)
create function stripe_mirror.period(p_data jsonb, p_field text) returns timestamptz
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb;
  v_end timestamptz;
  v_first timestamptz := 'infinity';
  v_found timestamptz := stripe_mirror.moment(p_data -> p_field);
begin
  if v_found is not null then
    return v_found;
  end if;
  v_items := stripe_mirror.elements(p_data #> '{items,data}');
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    v_end := stripe_mirror.moment(v_items -> i -> 'current_period_end');
    if v_end < v_first then
      v_first := v_end;
      v_found := stripe_mirror.moment(v_items -> i -> p_field);
    end if;
  end loop;
  return v_found;
end
$$;

-- What a subscription brings a month, in minor units: price by quantity, spread over its interval. Use that is metered
-- and prices in tiers are known only from invoices and count nothing; a discount is not taken off.
create function stripe_mirror.monthly(p_data jsonb) returns numeric
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.elements(p_data #> '{items,data}');
  v_price jsonb;
  v_every jsonb;
  v_amount numeric;
  v_sum numeric := 0;
begin
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    v_price := coalesce(nullif(v_items -> i -> 'price', 'null'), v_items -> i -> 'plan');
    v_every := coalesce(nullif(v_price -> 'recurring', 'null'), v_price);  -- a plan says it without the middle
    if coalesce(v_every ->> 'usage_type', 'licensed') = 'metered' then
      continue;
    end if;
    v_amount := stripe_mirror.whole(v_price -> 'unit_amount');
    if v_amount is null and v_price ->> 'unit_amount_decimal' ~ '^-?\d{1,20}(\.\d{1,20})?$' then
      v_amount := (v_price ->> 'unit_amount_decimal')::numeric;
    end if;
    v_sum := v_sum + coalesce(v_amount, 0) * coalesce(stripe_mirror.whole(v_items -> i -> 'quantity'), 1)
      * case v_every ->> 'interval'
          when 'day' then 365 / 12.0 when 'week' then 365 / 84.0 when 'month' then 1 when 'year' then 1 / 12.0 else 0 end
      / greatest(coalesce(stripe_mirror.whole(v_every -> 'interval_count'), 1), 1);
  end loop;
  return v_sum;
end
$$;

-- How an event stands to others of its second: what was fetched comes before all, a deletion after all.
create function stripe_mirror.rank(p_type text) returns smallint language sql immutable parallel safe
  return case when p_type like '%.created' then 1 when p_type like '%.deleted' then 9 else 5 end::smallint;

-- What is mirrored. `deleted_by` is the event that ends an object; null for kinds that Stripe keeps, such as a
-- subscription, whose last event says canceled.
create table stripe_mirror.kinds (
  name text primary key,
  object text not null,
  deleted_by text,
  created_at timestamptz not null default now(),
  constraint mirror_object_taken unique (object)
);

-- The inbox: every event, once, as it came. `original` is kept when the body had characters that PostgreSQL cannot keep.
create table stripe_mirror.events (
  id text collate "C" primary key,
  type text not null,
  kind text,
  object_id text,
  at timestamptz not null,
  rank smallint not null,
  payload jsonb not null,
  original bytea,
  created_at timestamptz not null default now()
) with (toast_tuple_target = 8160);
-- Bodies are mostly below 8 kB: in the row itself and uncompressed they are written at twice the rate.
alter table stripe_mirror.events alter column payload set storage external;
create index events_by_object on stripe_mirror.events (kind, object_id, at);
create index events_by_time on stripe_mirror.events (at);
create trigger events_kept before update or delete on stripe_mirror.events
  for each row execute function core.refuse_change();

-- What has to be fetched before it is certain: events of one second that differ, lists that were cut off, references
-- to what never came.
create table stripe_mirror.unsettled (
  kind text not null,
  object_id text not null,
  reason text not null,
  at timestamptz not null,
  attempts integer not null default 0,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (kind, object_id)
);
create trigger unsettled_touch before update on stripe_mirror.unsettled for each row execute function core.touch();

-- How far a list was read: one row a range of creation times (seconds, the end excluded), read from its end downwards.
-- `since` is where the whole run begins, `began_at` when it did by Stripe's clock.
create table stripe_mirror.ranges (
  run uuid not null,
  kind text not null,
  starts_at bigint not null,
  ends_at bigint not null,
  since bigint not null,
  began_at timestamptz not null,
  last_id text,
  fetched bigint not null default 0,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (run, kind, ends_at)
);
create index ranges_by_kind on stripe_mirror.ranges (kind, created_at);
create trigger ranges_touch before update on stripe_mirror.ranges for each row execute function core.touch();

-- Where pages of lists are copied to, a batch at a time, before one merge takes them over. What a killed process left
-- here is read again, so nothing of it needs to survive.
create unlogged table stripe_mirror.staged (
  batch uuid not null,
  position bigint not null,
  kind text not null,
  object jsonb not null,
  at timestamptz not null,
  began timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (batch, position)
) with (toast_tuple_target = 8160);
alter table stripe_mirror.staged alter column object set storage external;

-- Whose customer is whose account. Made by people or by a checkout of the account's own, never by an e-mail address.
create table stripe_mirror.links (
  account_id uuid not null,
  customer_id text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, customer_id),
  constraint link_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint customer_linked_once unique (customer_id)
);

-- A state of an object: from an event, or fetched (rank 0; in place of an event's id a dot and when the fetch began).
create type stripe_mirror.version as (
  id text, data jsonb, at timestamptz, rank smallint, event_id text, deleted_at timestamptz
);

-- Begin to mirror a kind: its table, with its own columns after the common ones, and the function that merges into it.
create function stripe_mirror.mirror(p_name text, p_object text, p_deleted_by text, p_columns text, p_indexed text[] default '{}')
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
      livemode boolean generated always as (stripe_mirror.flag(data -> 'livemode')) stored,
      stripe_created_at timestamptz generated always as (stripe_mirror.moment(data -> 'created')) stored,
      metadata jsonb not null generated always as (stripe_mirror.keys(data -> 'metadata')) stored,
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
    -- Keeps the newest by (time, rank, event), whatever the order of coming; a deletion stays. How many rows changed.
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
