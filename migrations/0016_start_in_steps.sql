-- Idempotency keys through one set of functions, and the start of generations in steps, still one round trip.

-- Claim a key for the request with this hash. The outcome is `claimed` (do the work; `work_id` names what is made),
-- `replayed` (`response` is what was answered before), `in-use` (another works on it) or `reused` (for another request).
-- A claim without a response passes to the next sender after `p_stale` seconds, or at once when it was released.
create function core.claim_key(
  p_account uuid, p_key text, p_hash bytea, p_work uuid default null, p_stale double precision default 60,
  out outcome text, out work_id uuid, out claimed_at timestamptz, out response jsonb
)
language plpgsql as $$
declare
  v_row core.idempotency_keys;
begin
  for attempt in 1 .. 3 loop
    insert into core.idempotency_keys as k (account_id, key, request_hash, work_id, claimed_at)
    values (p_account, p_key, p_hash, p_work, now())
    on conflict on constraint idempotency_keys_pkey do nothing
    returning 'claimed', k.work_id, k.claimed_at into outcome, work_id, claimed_at;
    if found then
      return;
    end if;
    -- Read without a lock: batches replay keys in any order.
    select * into v_row from core.idempotency_keys k where k.account_id = p_account and k.key = p_key;
    continue when not found;    -- it was refused and deleted in between
    response := v_row.response;
    outcome := case when v_row.request_hash <> p_hash then 'reused' when v_row.response is not null then 'replayed'
                 when v_row.claimed_at >= now() - make_interval(secs => p_stale) then 'in-use' end;
    if outcome is not null then
      return;
    end if;
    update core.idempotency_keys k set claimed_at = now(), work_id = coalesce(k.work_id, p_work)
     where k.account_id = p_account and k.key = p_key and k.response is null and k.claimed_at is not distinct from v_row.claimed_at
    returning 'claimed', k.work_id, k.claimed_at into outcome, work_id, claimed_at;
    if found then
      return;
    end if;
  end loop;
  outcome := 'in-use';
end
$$;

-- Save the response under a claimed key. False if another has taken the key over: then the work must be undone.
create function core.save_response(p_account uuid, p_key text, p_claimed_at timestamptz, p_response jsonb) returns boolean
language plpgsql as $$
begin
  update core.idempotency_keys set response = p_response
   where account_id = p_account and key = p_key and claimed_at = p_claimed_at and response is null;
  return found;
end
$$;

-- Release a claimed key without a response: a refused request deletes it, so that the same key may be sent again once it can
-- succeed; after a fault the next sender continues with the same `work_id`.
create function core.release_key(p_account uuid, p_key text, p_claimed_at timestamptz, p_delete boolean) returns boolean
language plpgsql as $$
begin
  if p_delete then
    delete from core.idempotency_keys
     where account_id = p_account and key = p_key and claimed_at = p_claimed_at and response is null;
  else
    update core.idempotency_keys set claimed_at = null
     where account_id = p_account and key = p_key and claimed_at = p_claimed_at and response is null;
  end if;
  return found;
end
$$;

-- A generation that is to be started, with what it needs looked up. `refused` is the code of the first reason against it.
create type studio.start_request as (
  position integer, account_id uuid, id uuid, key text, request_hash bytea, style_name text, engine text, prompt text,
  parameters jsonb, seed bigint, charge_asset text, cost bigint, retry_of uuid, refused text, facts jsonb,
  files studio.chosen_file[], claimed_at timestamptz, hold_id uuid
);

-- Look up sessions, styles and files of these items, in their order.
create function studio.resolve_inputs(p_items jsonb) returns setof studio.start_request
language sql stable as $$
  select e.position::integer, i.account_id, i.id, i.key, decode(i.request_hash, 'hex'), i.style_name, s.engine,
         coalesce(i.prompt, ''), coalesce(i.parameters, '{}'), i.seed, coalesce(i.charge, 'token'),
         case coalesce(i.charge, 'token') when 'token' then s.cost else 1 end::bigint, i.retry_of,
         case when e.value ? 'session_id' and (
                select a.is_active from accounts.sessions l join accounts.accounts a on a.id = l.account_id
                 where l.account_id = i.account_id and l.id = i.session_id
                   and l.revoked_at is null and l.expires_at > now()) is not true then 'unauthenticated'
              when s.engine is null then 'unknown-style'
              when f.found < f.wanted then 'file-not-found'
              when f.fitting < f.wanted then 'wrong-category' end,
         f.facts, f.files, null::timestamptz, null::uuid
    from jsonb_array_elements(p_items) with ordinality e (value, position)
   cross join lateral jsonb_to_record(e.value) as i (
     account_id uuid, id uuid, session_id uuid, key text, request_hash text, style_name text, prompt text,
     parameters jsonb, seed bigint, charge text, product_files uuid[], model_files uuid[], retry_of uuid)
    left join studio.styles s on s.name = i.style_name and s.is_active
   cross join lateral (
     select count(m.id) as found, count(*) as wanted, count(*) filter (where m.category = w.role || '_image') as fitting,
            coalesce(jsonb_agg(jsonb_build_object('role', w.role, 'file', media.facts(m)) order by w.role, w.place), '[]')
              as facts,
            array_agg(row(i.account_id, i.id, w.role, w.place, w.file_id)::studio.chosen_file) as files
       from (select 'product' as role, p.file_id, p.place from unnest(i.product_files) with ordinality p (file_id, place)
             union all
             select 'model', p.file_id, p.place from unnest(i.model_files) with ordinality p (file_id, place)) w
       left join media.files m on m.account_id = i.account_id and m.id = w.file_id
   ) f
   order by e.position
$$;

-- Why this account could not be charged.
create function studio.refuse_charge(p_account uuid, p_asset text, p_cost bigint) returns jsonb
language sql stable as $$
  select jsonb_build_object(
           'refused', case when w.frozen then 'wallet-frozen' else 'insufficient-credits' end,
           'asset', p_asset, 'cost', p_cost, 'balance', coalesce(w.balance, 0))
    from (select 1) one
    left join wallet.wallets w on w.account_id = p_account and w.asset = p_asset
$$;

-- Write charged generations: rows, files, usage records and jobs, one statement a table.
create function studio.insert_started(p_requests studio.start_request[]) returns void
language plpgsql as $$
begin
  insert into studio.generations
    (account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of)
  select account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of
    from unnest(p_requests);
  insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
  select f.account_id, f.generation_id, f.role, f.place, f.file_id, f.role || '_image'
    from unnest(p_requests) r cross join lateral unnest(r.files) f;
  insert into core.usage (account_id, action, metadata)
  select account_id, 'generation_started',
         jsonb_build_object('generation_id', id, 'style_name', style_name, 'asset', charge_asset, 'cost', cost)
    from unnest(p_requests);
  perform core.enqueue_all('studio.generate',
    (select array_agg(jsonb_build_object('account_id', account_id, 'generation_id', id)) from unnest(p_requests)), 'studio');
end
$$;

-- Start generations: files, charge, row, usage record and job together or not at all, for many at once: one round trip, one
-- commit. Each is decided on its own, in the order given, and what can be refused is refused by value:
-- {"outcome": "created" | "replayed", ...} or {"refused": code, ...}.
create or replace function studio.start_all(p_items jsonb) returns setof jsonb
language plpgsql
-- Planning for each batch would cost more than running it.
set plan_cache_mode = force_generic_plan as $$
declare
  v_answers jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_items)]);
  v_answer jsonb;
  v_item studio.start_request;
  v_claim record;
  v_requests studio.start_request[] := '{}';
  v_repeated studio.start_request[] := '{}';    -- with a key that may belong to another item of this batch
  v_started studio.start_request[] := '{}';
  v_holds uuid[];
begin
  for v_item in select * from studio.resolve_inputs(p_items) loop
    v_answer := case v_item.refused when 'unauthenticated' then '{"refused": "unauthenticated"}'::jsonb end;
    if v_answer is null and v_item.key is not null then
      select * into v_claim from core.claim_key(v_item.account_id, v_item.key, v_item.request_hash);
      v_item.claimed_at := v_claim.claimed_at;
      v_answer := case v_claim.outcome when 'replayed' then v_claim.response || '{"outcome": "replayed"}'
                    when 'reused' then '{"refused": "key-reused"}' when 'in-use' then '{"refused": "key-in-use"}' end;
      if v_claim.outcome = 'in-use' then
        v_repeated := v_repeated || v_item;
      end if;
    end if;
    if v_answer is null and v_item.refused is not null then
      v_answer := jsonb_build_object('refused', v_item.refused);
      perform core.release_key(v_item.account_id, v_item.key, v_item.claimed_at, true) where v_item.key is not null;
    end if;
    if v_answer is null then
      v_requests := v_requests || v_item;
    end if;
    v_answers[v_item.position] := v_answer;
  end loop;

  v_holds := wallet.hold_many(
    array(select account_id from unnest(v_requests)), array(select charge_asset from unnest(v_requests)),
    array(select cost from unnest(v_requests)), array(select 'generation:' || id from unnest(v_requests)),
    array(select id from unnest(v_requests)));
  for n in 1 .. cardinality(v_requests) loop
    v_item := v_requests[n];
    if v_holds[n] is null then
      v_answer := studio.refuse_charge(v_item.account_id, v_item.charge_asset, v_item.cost);
      perform core.release_key(v_item.account_id, v_item.key, v_item.claimed_at, true) where v_item.key is not null;
    else
      v_item.hold_id := v_holds[n];
      v_started := v_started || v_item;
      v_answer := jsonb_build_object('id', v_item.id, 'cost', v_item.cost, 'engine', v_item.engine, 'seed', v_item.seed,
        'files', v_item.facts, 'created_at', now());
      perform core.save_response(v_item.account_id, v_item.key, v_item.claimed_at, v_answer) where v_item.key is not null;
      v_answer := v_answer || '{"outcome": "created"}';
    end if;
    v_answers[v_item.position] := v_answer;
  end loop;

  for v_item in select * from unnest(v_repeated) loop
    select v_answers[r.position] into v_answer from unnest(v_requests) r
     where r.account_id = v_item.account_id and r.key = v_item.key;
    if found then
      v_answers[v_item.position] := case when v_answer ? 'outcome' then v_answer || '{"outcome": "replayed"}' else v_answer end;
    end if;
  end loop;
  if cardinality(v_started) > 0 then
    perform studio.insert_started(v_started);
  end if;
  return query select a.answer from unnest(v_answers) with ordinality a (answer, n) order by a.n;
end
$$;
