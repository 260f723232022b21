-- Taking in: events as they come, objects as they were fetched.

-- A state as its merge takes it. A stub ({"id", "object", "deleted": true}) tells of the deletion and nothing else, so
-- any full state is newer.
create function stripe_mirror.version(p_object jsonb, p_at timestamptz, p_rank smallint, p_event text, p_deletes boolean)
returns stripe_mirror.version language sql immutable parallel safe as $$
  select row(p_object ->> 'id', p_object, case when p_object -> 'deleted' = 'true' then '-infinity' else p_at end,
             p_rank, p_event, case when p_deletes or p_object -> 'deleted' = 'true' then p_at end)::stripe_mirror.version
$$;

-- Take events in: into the inbox and into their tables, together. An event that came before changes nothing. Returns the
-- ids of the new ones. `p_told` are patterns of types of which payments wants to hear.
-- Its plans are made once a connection (planning anew costs more than a small batch), and so that they stay good while
-- the tables grow: by index, row by row.
create function stripe_mirror.take(p_events jsonb, p_originals jsonb, p_told text[]) returns text[]
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off as $$
declare
  v_new text[];
  v_kind record;
  v_ties stripe_mirror.unsettled[];
begin
  with given as (
    select distinct on (e ->> 'id') e ->> 'id' as id, e ->> 'type' as type, k.name as kind, e #>> '{data,object,id}' as object_id,
           stripe_mirror.moment(e -> 'created') as at, stripe_mirror.rank(e ->> 'type') as rank, e as payload,
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

  if cardinality(p_told) > 0 then
    perform core.enqueue('payments.stripe_event', jsonb_build_object('event_id', e.id), 'payments')
       from stripe_mirror.events e where e.id = any (v_new) and e.type like any (p_told);
  end if;
  return v_new;
end
$$;

-- A fetched state: what happened in the second of `p_at` may be newer, so every event of it is.
create function stripe_mirror.fetched(p_object jsonb, p_at timestamptz, p_began timestamptz)
returns stripe_mirror.version language sql stable parallel safe as $$
  select stripe_mirror.version(p_object, date_trunc('second', p_at), 0::smallint,
                               to_char(p_began at time zone 'UTC', '.YYYYMMDDHH24MISSUS'), false)
$$;

-- Take in what was fetched: `p_objects` as a list gave them. `p_at` is the last moment at which Stripe cannot yet have
-- read them; what happened in its second may be newer, so every event of it is. Of two fetches the one that began later
-- is newer. How many rows changed.
create function stripe_mirror.take_fetched(p_kind text, p_objects jsonb, p_at timestamptz, p_began timestamptz) returns bigint
language plpgsql as $$
declare
  v_versions stripe_mirror.version[];
  v_changed bigint;
begin
  select array_agg(stripe_mirror.fetched(o, p_at, p_began)) into v_versions from jsonb_array_elements(p_objects) o;
  v_changed := stripe_mirror.merge(p_kind, coalesce(v_versions, array[]::stripe_mirror.version[]));
  return v_changed;
end
$$;

-- Take in a batch of one kind that was copied to `staged`, which is emptied of it. How many rows changed.
create function stripe_mirror.take_staged(p_batch uuid, p_kind text) returns bigint
language plpgsql as $$
declare
  v_versions stripe_mirror.version[];
  v_changed bigint;
begin
  select array_agg(stripe_mirror.fetched(object, at, began)) into v_versions
    from stripe_mirror.staged where batch = p_batch and kind = p_kind;
  v_changed := stripe_mirror.merge(p_kind, coalesce(v_versions, array[]::stripe_mirror.version[]));
  delete from stripe_mirror.staged where batch = p_batch and kind = p_kind;
  return v_changed;
end
$$;

-- A whole list was read from `p_before` on: what it did not show, although it should, has to be asked for: it was
-- deleted, or the list was wrong. How many.
create function stripe_mirror.doubt(p_kind text, p_since timestamptz, p_before timestamptz) returns bigint
language plpgsql as $$
declare
  v_count bigint;
begin
  execute format($doubt$
    insert into stripe_mirror.unsettled (kind, object_id, reason, at)
    select %1$L, id, 'missing', date_trunc('second', $2) - interval '1 second'
      from stripe_mirror.%1$I
     where deleted_at is null and event_at < date_trunc('second', $2) and stripe_created_at >= $1 and stripe_created_at < $2
     order by id
    on conflict (kind, object_id) do nothing
  $doubt$, p_kind) using p_since, p_before;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- These were not deleted after all: Stripe lists them long after it. For `vetrina stripe rebuild` alone. How many.
create function stripe_mirror.revive(p_kind text, p_ids text[], p_before timestamptz) returns bigint
language plpgsql as $$
declare
  v_count bigint;
begin
  execute format('update stripe_mirror.%I set deleted_at = null, synced_at = clock_timestamp()
                   where id = any ($1) and deleted_at < $2', p_kind) using p_ids, p_before;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
