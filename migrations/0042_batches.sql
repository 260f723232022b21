-- Several generations started together: each with its own charge, progress and refund; all of them or none are started.
create table studio.batches (
  account_id uuid not null,
  id uuid not null,
  kind text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint batch_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint batch_kind_known check (kind in ('pictures', 'styles', 'seeds'))
);
create table studio.batch_items (
  account_id uuid not null,
  batch_id uuid not null,
  position smallint not null,
  generation_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, batch_id, position),
  constraint batch_item_belongs foreign key (account_id, batch_id) references studio.batches (account_id, id) on delete cascade,
  constraint batch_item_is_a_generation foreign key (account_id, generation_id)
    references studio.generations (account_id, id) on delete cascade,
  constraint generation_in_one_batch unique (account_id, generation_id)
);

-- Generations that their owner marked with a star.
create table studio.favourites (
  account_id uuid not null,
  generation_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, generation_id),
  constraint favourite_is_a_generation foreign key (account_id, generation_id)
    references studio.generations (account_id, id) on delete cascade
);

-- What a draft makes: one picture, or a batch.
alter table studio.drafts add column batch jsonb not null default '{}';

-- Start all of a batch's items, or none, in one statement: {account_id, id, kind, key, request_hash, items}. The answer has the
-- items' answers in order, or `refused` with the reason of the first item that could not start, the number that could
-- (`affordable`), the total cost and the balance before. The inner block is rolled back on a refusal, charges and all.
create function studio.start_batch(p jsonb) returns jsonb
language plpgsql
set plan_cache_mode = force_generic_plan as $$
declare
  v_account uuid := (p->>'account_id')::uuid;
  v_key text := p->>'key';
  v_outcome text;
  v_claimed_at timestamptz;
  v_response jsonb;
  v_answers jsonb[];
  v_answer jsonb;
begin
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

-- Cancel what of a batch has not ended; returns how many were cancelled. The rows are locked first, in the order of their ids:
-- a worker that finishes one holds its row before the wallet.
create function studio.cancel_batch(p_account uuid, p_batch uuid) returns integer
language plpgsql as $$
declare
  v_ids uuid[] := array(
    select g.id from studio.generations g
     where g.account_id = p_account and g.status in ('pending', 'uploading', 'processing')
       and exists (select from studio.batch_items b
                    where b.account_id = p_account and b.batch_id = p_batch and b.generation_id = g.id)
     order by g.id for update);
begin
  return (select count(*) filter (where studio.finish(p_account, id, null, 'cancelled', null, null)) from unnest(v_ids) id);
end
$$;

-- A result may be the input of another generation. The new constraint allows more than the one that it takes the place of.
-- squawk-ignore ban-drop-constraint
alter table studio.generation_files drop constraint generation_file_category_fits_role;
alter table studio.generation_files
  add constraint generation_file_category_fits_role check ((role, category) in
    (('product', 'product_image'), ('model', 'model_image'), ('result', 'generated_image'),
     ('product', 'generated_image'), ('model', 'generated_image'))) not valid;

-- As before; a result fits every role.
create or replace function studio.resolve_inputs(p_items jsonb) returns setof studio.start_request
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
              when f.fitting < f.wanted then 'wrong-category'
              else studio.refuse_account(i.account_id, row_number() over (partition by i.account_id order by e.position) - 1) end,
         f.facts, f.files, null::timestamptz, null::uuid
    from jsonb_array_elements(p_items) with ordinality e (value, position)
   cross join lateral jsonb_to_record(e.value) as i (
     account_id uuid, id uuid, session_id uuid, key text, request_hash text, style_name text, prompt text,
     parameters jsonb, seed bigint, charge text, product_files uuid[], model_files uuid[], retry_of uuid)
    left join studio.styles s on s.name = i.style_name and s.is_active
   cross join lateral (
     select count(m.id) as found, count(*) as wanted,
            count(*) filter (where m.category in (w.role || '_image', 'generated_image')) as fitting,
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

-- As before, with each file's own category. A file that was deleted in between breaks its foreign key, as before.
create or replace function studio.insert_started(p_requests studio.start_request[]) returns void
language plpgsql as $$
declare
  v_round integer := coalesce((
    select turn from studio.generations where status in ('pending', 'uploading', 'processing') and status = 'pending'
     order by turn, id limit 1), 0);    -- the round that is served now
  v_turns integer[] := array(
    select greatest(v_round, (select max(g.turn) + 1 from studio.generations g
                               where g.account_id = r.account_id and g.status = 'pending'))
           + row_number() over (partition by r.account_id order by r.ordinality) - 1
      from unnest(p_requests) with ordinality r order by r.ordinality);
begin
  insert into studio.generations
    (account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of, turn)
  select r.account_id, r.id, r.style_name, r.engine, r.prompt, r.parameters, r.seed, r.charge_asset, r.cost, r.hold_id,
         r.retry_of, t.turn
    from unnest(p_requests) with ordinality r
    join unnest(v_turns) with ordinality t (turn, ordinality) using (ordinality);
  insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
  select f.account_id, f.generation_id, f.role, f.place, f.file_id, coalesce(m.category, f.role || '_image')
    from unnest(p_requests) r cross join lateral unnest(r.files) f
    left join media.files m on m.account_id = f.account_id and m.id = f.file_id;
  insert into core.usage (account_id, action, metadata)
  select account_id, 'generation_started',
         jsonb_build_object('generation_id', id, 'style_name', style_name, 'asset', charge_asset, 'cost', cost)
    from unnest(p_requests);
  perform core.enqueue_all('studio.generate',
    (select array_agg(jsonb_build_object('account_id', account_id, 'generation_id', id)) from unnest(p_requests)), 'studio',
    array(select -turn from unnest(v_turns) turn));
end
$$;
