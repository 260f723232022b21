-- Discounts and coupons of subscriptions. Since 2025-09-30 an event has only the ids of a subscription's discounts, and a
-- discount only the id of its coupon. Coupons have a list and are mirrored; discounts have none and cannot be fetched by id:
-- events about them are in the inbox, and lists of subscriptions are read with their discounts expanded.

select stripe_mirror.mirror('coupons', 'coupon', 'coupon.deleted', $$
  name text generated always as (stripe_mirror.json_text(data -> 'name')) stored,
  duration text generated always as (stripe_mirror.json_text(data -> 'duration')) stored,
  currency text generated always as (stripe_mirror.json_text(data -> 'currency')) stored,
  amount_off bigint generated always as (stripe_mirror.json_bigint(data -> 'amount_off')) stored $$);

-- Discounts that a list of subscriptions showed, as Stripe sent them. Their terms never change.
create table stripe_mirror.discounts (
  id text primary key,
  data jsonb not null,
  created_at timestamptz not null default now()
);

-- squawk-ignore require-concurrent-index-creation
create index events_of_discounts on stripe_mirror.events (created_at) where type like 'customer.discount.%';

-- The discounts that are expanded in a subscription and its items.
create function stripe_mirror.expanded_discounts(p_subscription jsonb) returns setof jsonb
language sql immutable parallel safe as $$
  select jsonb_path_query(p_subscription, '$.discounts[*] ? (@.type() == "object")')
  union
  select jsonb_path_query(p_subscription, '$.items.data[*].discounts[*] ? (@.type() == "object")')
$$;

-- An object with ids in place of expanded discounts, which is the shape that events have.
create function stripe_mirror.collapse_discounts(p_object jsonb) returns jsonb
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb := stripe_mirror.json_array(p_object #> '{items,data}');
begin
  if p_object ->> 'object' is distinct from 'subscription'
     or not exists (select from stripe_mirror.expanded_discounts(p_object)) then
    return p_object;
  end if;
  if jsonb_typeof(p_object -> 'discounts') = 'array' then
    p_object := jsonb_set(p_object, '{discounts}', (
      select jsonb_agg(stripe_mirror.json_id(d) order by n) from jsonb_array_elements(p_object -> 'discounts') with ordinality e (d, n)));
  end if;
  for i in 0 .. jsonb_array_length(v_items) - 1 loop
    if jsonb_array_length(stripe_mirror.json_array(v_items -> i -> 'discounts')) > 0 then
      p_object := jsonb_set(p_object, array['items', 'data', i::text, 'discounts'], (
        select jsonb_agg(stripe_mirror.json_id(d) order by n)
          from jsonb_array_elements(v_items -> i -> 'discounts') with ordinality e (d, n)));
    end if;
  end loop;
  return p_object;
end
$$;

create or replace function stripe_mirror.fetched(p_object jsonb, p_at timestamptz, p_began timestamptz)
returns stripe_mirror.version language sql stable parallel safe as $$
  select stripe_mirror.version(stripe_mirror.collapse_discounts(p_object), date_trunc('second', p_at), 0::smallint,
                               to_char(p_began at time zone 'UTC', '.YYYYMMDDHH24MISSUS'), false)
$$;

-- Store the discounts that these subscriptions have expanded.
create function stripe_mirror.store_discounts(p_subscriptions jsonb[]) returns void
language sql as $$
  insert into stripe_mirror.discounts (id, data)
  select distinct on (d ->> 'id') d ->> 'id', d
    from unnest(p_subscriptions) s, lateral stripe_mirror.expanded_discounts(s) d
   where d ->> 'id' is not null order by d ->> 'id'
  on conflict (id) do nothing
$$;

-- Take in what was fetched: `p_objects` as a list gave them. `p_at` is the last moment at which Stripe cannot yet have
-- read them; what happened in its second may be newer, so every event of it is. Of two fetches the one that began later
-- is newer. Returns how many rows changed.
create or replace function stripe_mirror.ingest_objects(p_kind text, p_objects jsonb, p_at timestamptz, p_began timestamptz)
returns bigint
language plpgsql as $$
declare
  v_versions stripe_mirror.version[];
  v_changed bigint;
begin
  select array_agg(stripe_mirror.fetched(o, p_at, p_began)) into v_versions from jsonb_array_elements(p_objects) o;
  v_changed := stripe_mirror.merge(p_kind, coalesce(v_versions, array[]::stripe_mirror.version[]));
  if p_kind = 'subscriptions' then
    perform stripe_mirror.store_discounts((select array_agg(o) from jsonb_array_elements(p_objects) o));
  end if;
  return v_changed;
end
$$;

-- Take in a batch of one kind that was copied to `staged`, which is emptied of it. Returns how many rows changed.
create or replace function stripe_mirror.merge_staged(p_batch uuid, p_kind text) returns bigint
language plpgsql as $$
declare
  v_versions stripe_mirror.version[];
  v_changed bigint;
begin
  select array_agg(stripe_mirror.fetched(object, at, began)) into v_versions
    from stripe_mirror.staged where batch = p_batch and kind = p_kind;
  v_changed := stripe_mirror.merge(p_kind, coalesce(v_versions, array[]::stripe_mirror.version[]));
  if p_kind = 'subscriptions' then
    perform stripe_mirror.store_discounts((select array_agg(object) from stripe_mirror.staged where batch = p_batch and kind = p_kind));
  end if;
  delete from stripe_mirror.staged where batch = p_batch and kind = p_kind;
  return v_changed;
end
$$;
