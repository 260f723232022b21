-- The cap of waiting pictures holds over several web processes: starts of one account follow each other, so that each counts what
-- the one before has committed.

-- Until the transaction ends. In one order, so that two batches of several accounts never wait for each other; before a key is
-- claimed, since who claims one waits for its other claim.
create function studio.lock_starts(p_accounts uuid[]) returns void
language sql as $$
  select pg_advisory_xact_lock(hashtextextended('studio.start:' || account_id, 0))
    from (select distinct account_id from unnest(p_accounts) a (account_id) order by account_id) accounts
$$;

-- As before, after `lock_starts`.
create or replace function studio.start_all(p_items jsonb) returns setof jsonb language plpgsql set plan_cache_mode = force_generic_plan as $$
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
  perform studio.lock_starts(array(select (value->>'account_id')::uuid from jsonb_array_elements(p_items)));
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

-- As before, after `lock_starts`.
create or replace function studio.start_batch(p jsonb) returns jsonb language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  v_account uuid := (p->>'account_id')::uuid;
  v_key text := p->>'key';
  v_outcome text;
  v_claimed_at timestamptz;
  v_response jsonb;
  v_answers jsonb[];
  v_answer jsonb;
begin
  perform studio.lock_starts(array[v_account]);
  if v_key is not null then
    select outcome, claimed_at, response into v_outcome, v_claimed_at, v_response
      from core.claim_key(v_account, v_key, decode(p->>'request_hash', 'hex'));
    v_answer := case v_outcome when 'replayed' then v_response || '{"outcome": "replayed"}'
                  when 'reused' then '{"refused": "key-reused"}' when 'in-use' then '{"refused": "key-in-use"}' end;
    if v_answer is not null then
      return v_answer;
    end if;
  end if;
  begin
    v_answers := array(select answer from studio.start_all(p->'items') with ordinality s (answer, n) order by n);
    if exists (select from unnest(v_answers) a where a ? 'refused') then
      raise exception 'a batch is started as a whole' using errcode = 'VB001';
    end if;
    insert into studio.batches (account_id, id, kind) values (v_account, (p->>'id')::uuid, p->>'kind');
    insert into studio.batch_items (account_id, batch_id, position, generation_id)
    select v_account, (p->>'id')::uuid, n, (a->>'id')::uuid from unnest(v_answers) with ordinality s (a, n);
    v_answer := jsonb_build_object('id', p->'id', 'created_at', now(), 'items', to_jsonb(v_answers));
    perform core.save_response(v_account, v_key, v_claimed_at, v_answer) where v_key is not null;
    return v_answer || '{"outcome": "created"}';
  exception when sqlstate 'VB001' then
    perform core.release_key(v_account, v_key, v_claimed_at, true) where v_key is not null;
    return (select (a - 'cost') || jsonb_build_object(
                     'position', n,
                     'affordable', (select count(*) from unnest(v_answers) b where not b ? 'refused'),
                     'total', (select sum((b->>'cost')::bigint) from unnest(v_answers) b),
                     'balance', coalesce((a->>'balance')::bigint, 0)
                       + (select coalesce(sum((b->>'cost')::bigint), 0) from unnest(v_answers) b where not b ? 'refused'))
              from unnest(v_answers) with ordinality s (a, n) where a ? 'refused' order by n limit 1);
  end;
end
$$;
