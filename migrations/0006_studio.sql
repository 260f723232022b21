-- Image generation, paid with credits. The state machine is enforced here.

create schema studio;

-- Which styles there are comes from the engines' catalogues; the rows are refreshed when the software starts.
create table studio.styles (
  name text primary key,
  title text not null,
  description text not null,
  engine text not null,
  parameters jsonb not null default '[]',
  needs_product boolean not null default false,
  needs_model boolean not null default false,
  needs_picture boolean not null default false,
  cost integer not null,
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint style_cost_positive check (cost > 0)
);
create trigger styles_touch before update on studio.styles for each row execute function core.touch();

create table studio.generations (
  account_id uuid not null,
  id uuid not null,
  status text not null default 'pending',
  style_name text not null,
  engine text not null,
  prompt text not null default '',
  parameters jsonb not null default '{}',
  seed bigint not null,
  charge_asset wallet.asset not null default 'token',
  cost bigint not null,
  hold_id uuid not null,
  progress smallint not null default 0,
  step text,
  attempt integer not null default 0,
  retry_of uuid,
  error_code text,
  error_message text,
  processing_time_ms integer,
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint generation_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint generation_has_a_style foreign key (style_name) references studio.styles (name),
  constraint generation_is_charged foreign key (account_id, hold_id) references wallet.holds (account_id, id),
  constraint generation_status_known check (status in
    ('pending', 'uploading', 'processing', 'completed', 'failed', 'cancelled')),
  constraint generation_prompt_length check (length(prompt) <= 1000),
  constraint generation_progress_in_percent check (progress between 0 and 100),
  constraint generation_ends_with_a_time check ((status in ('completed', 'failed', 'cancelled')) = (completed_at is not null)),
  constraint generation_failure_is_told check (status <> 'failed' or error_message is not null)
);
create index generations_by_status on studio.generations (account_id, status, id);
create index generations_at_work on studio.generations (id) where status in ('pending', 'uploading', 'processing');
create index generations_by_style on studio.generations (style_name);
create index generations_by_hold on studio.generations (account_id, hold_id);
create trigger generations_touch before update on studio.generations for each row execute function core.touch();

create function studio.keep_legal() returns trigger
language plpgsql as $$
begin
  if new.status <> old.status and not (old.status, new.status) in (
    ('pending', 'uploading'), ('uploading', 'processing'), ('processing', 'completed'),
    ('pending', 'failed'), ('uploading', 'failed'), ('processing', 'failed'),
    ('pending', 'cancelled'), ('uploading', 'cancelled'), ('processing', 'cancelled')
  ) then
    raise exception 'a % generation cannot become %', old.status, new.status
      using errcode = 'check_violation', constraint = 'generation_moves_legally';
  end if;
  return new;
end
$$;
create trigger generation_moves_legally before update of status on studio.generations
  for each row execute function studio.keep_legal();

-- Who listens (web processes, for server-sent events) hears of every visible change.
create function studio.announce() returns trigger
language plpgsql as $$
begin
  perform pg_notify('generations', json_build_object(
    'account_id', new.account_id, 'id', new.id, 'status', new.status, 'progress', new.progress,
    'step', new.step, 'error_message', new.error_message)::text);
  return null;
end
$$;
create trigger generations_announce after update of status, progress, step on studio.generations
  for each row execute function studio.announce();

-- The category fits the role because the key says so. A file that its owner deletes leaves its place empty.
create table studio.generation_files (
  account_id uuid not null,
  generation_id uuid not null,
  role text not null,
  position smallint not null,
  file_id uuid,
  category text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, generation_id, role, position),
  constraint generation_file_belongs foreign key (account_id, generation_id)
    references studio.generations (account_id, id) on delete cascade,
  constraint generation_file_exists foreign key (account_id, file_id, category)
    references media.files (account_id, id, category) on delete set null (file_id),
  constraint generation_file_category_fits_role check ((role, category) in
    (('product', 'product_image'), ('model', 'model_image'), ('result', 'generated_image')))
);
create index generation_files_by_file on studio.generation_files (account_id, file_id) where file_id is not null;

-- A picture in its place of a generation that is being started.
create type studio.chosen_file as (account_id uuid, generation_id uuid, role text, place bigint, file_id uuid);

-- Generations: files, charge, row, usage record and job together or not at all, for many at once: one round
-- trip, one commit, one statement a table. Each is decided on its own, in the order given, and what can be
-- refused is refused by value: {"outcome": "created" | "replayed", ...} or {"refused": code, ...}.
create function studio.start_all(p_items jsonb) returns setof jsonb
language plpgsql
-- Planning for each batch would cost more than running it.
set plan_cache_mode = force_generic_plan as $$
declare
  v_answers jsonb[] := array_fill(null::jsonb, array[jsonb_array_length(p_items)]);
  v_item record;
  v_known core.idempotency_keys;
  v_refused text;
  v_first bigint;
  v_answer jsonb;
  v_twins integer[][] := '{}';    -- (position, position of the first with the same key in this batch)
  v_row studio.generations;
  -- Those that begin if their wallets allow it.
  v_rows studio.generations[] := '{}';
  v_accounts uuid[] := '{}';
  v_assets text[] := '{}';
  v_costs bigint[] := '{}';
  v_hold_keys text[] := '{}';
  v_ids uuid[] := '{}';
  v_positions integer[] := '{}';
  v_keys text[] := '{}';
  v_facts jsonb[] := '{}';
  v_files studio.chosen_file[] := '{}';
  v_holds uuid[];
  -- Those that do.
  v_begun studio.generations[] := '{}';
begin
  for v_item in
    select e.position::integer, i.*, s.engine, s.cost as price, f.*,
           not e.value ? 'session_id' or (
             select a.is_active from accounts.sessions l join accounts.accounts a on a.id = l.account_id
              where l.account_id = i.account_id and l.id = i.session_id
                and l.revoked_at is null and l.expires_at > now()) as allowed
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
  loop
    if v_item.allowed is not true then
      v_answers[v_item.position] := '{"refused": "unauthenticated"}';
      continue;
    end if;

    if v_item.key is not null then
      insert into core.idempotency_keys (account_id, key, request_hash)
      values (v_item.account_id, v_item.key, decode(v_item.request_hash, 'hex'))
      on conflict do nothing;
      if not found then
        select * into strict v_known from core.idempotency_keys where account_id = v_item.account_id and key = v_item.key;
        select k.n into v_first from unnest(v_keys) with ordinality k (key, n)
         where k.key = v_item.key and (v_rows[k.n]).account_id = v_item.account_id;
        if v_known.request_hash <> decode(v_item.request_hash, 'hex') then
          v_answers[v_item.position] := '{"refused": "key-reused"}';
        elsif v_known.response is not null then
          v_answers[v_item.position] := v_known.response || '{"outcome": "replayed"}';
        elsif v_first is not null then
          v_twins := v_twins || array[[v_item.position, v_positions[v_first]]];
        else
          v_answers[v_item.position] := '{"refused": "key-in-use"}';
        end if;
        continue;
      end if;
    end if;

    v_refused := case
      when v_item.engine is null then 'unknown-style'
      when v_item.found < v_item.wanted then 'file-not-found'
      when v_item.fitting < v_item.wanted then 'wrong-category'
    end;
    if v_refused is not null then
      v_answers[v_item.position] := jsonb_build_object('refused', v_refused);
      -- A refused request leaves no trace, so that the same key may be sent again once it can succeed.
      delete from core.idempotency_keys where account_id = v_item.account_id and key = v_item.key;
      continue;
    end if;

    v_row.account_id := v_item.account_id;
    v_row.id := v_item.id;
    v_row.style_name := v_item.style_name;
    v_row.engine := v_item.engine;
    v_row.prompt := coalesce(v_item.prompt, '');
    v_row.parameters := coalesce(v_item.parameters, '{}');
    v_row.seed := v_item.seed;
    v_row.charge_asset := coalesce(v_item.charge, 'token');
    v_row.cost := case v_row.charge_asset when 'token' then v_item.price else 1 end;
    v_row.retry_of := v_item.retry_of;
    v_rows := v_rows || v_row;
    v_accounts := v_accounts || v_row.account_id;
    v_assets := v_assets || v_row.charge_asset::text;
    v_costs := v_costs || v_row.cost;
    v_hold_keys := v_hold_keys || ('generation:' || v_row.id);
    v_ids := v_ids || v_row.id;
    v_positions := v_positions || v_item.position;
    v_keys := v_keys || v_item.key;
    v_facts := v_facts || v_item.facts;
    v_files := v_files || v_item.files;
  end loop;

  v_holds := wallet.hold_all(v_accounts, v_assets, v_costs, v_hold_keys, v_ids);
  for n in 1 .. cardinality(v_rows) loop
    v_row := v_rows[n];
    v_row.hold_id := v_holds[n];
    if v_row.hold_id is null then
      v_answer := jsonb_build_object('refused', case
        when exists (select from wallet.wallets
                      where account_id = v_row.account_id and asset = v_row.charge_asset and frozen) then 'wallet-frozen'
        else 'insufficient-credits' end, 'asset', v_row.charge_asset, 'cost', v_row.cost,
        'balance', coalesce(
          (select balance from wallet.wallets where account_id = v_row.account_id and asset = v_row.charge_asset), 0));
      delete from core.idempotency_keys where account_id = v_row.account_id and key = v_keys[n];
    else
      v_begun := v_begun || v_row;
      v_answer := jsonb_build_object('id', v_row.id, 'cost', v_row.cost, 'engine', v_row.engine, 'seed', v_row.seed,
        'files', v_facts[n], 'created_at', now());
      if v_keys[n] is not null then
        update core.idempotency_keys set response = v_answer where account_id = v_row.account_id and key = v_keys[n];
      end if;
      v_answer := v_answer || '{"outcome": "created"}';
    end if;
    v_answers[v_positions[n]] := v_answer;
  end loop;

  for n in 1 .. coalesce(array_length(v_twins, 1), 0) loop
    v_answer := v_answers[v_twins[n][2]];
    v_answers[v_twins[n][1]] := case when v_answer ? 'outcome' then v_answer || '{"outcome": "replayed"}' else v_answer end;
  end loop;

  if cardinality(v_begun) > 0 then
    insert into studio.generations
      (account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of)
    select account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of
      from unnest(v_begun);
    insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
    select f.account_id, f.generation_id, f.role, f.place, f.file_id, f.role || '_image'
      from unnest(v_files) f
      join unnest(v_begun) b on b.account_id = f.account_id and b.id = f.generation_id;
    insert into core.usage (account_id, action, metadata)
    select account_id, 'generation_started',
           jsonb_build_object('generation_id', id, 'style_name', style_name, 'asset', charge_asset, 'cost', cost)
      from unnest(v_begun);
    perform core.enqueue_all('studio.generate',
      (select array_agg(jsonb_build_object('account_id', account_id, 'generation_id', id)) from unnest(v_begun)), 'studio');
  end if;
  return query select a.answer from unnest(v_answers) with ordinality a (answer, n) order by a.n;
end
$$;

-- One of them.
create function studio.start(p jsonb) returns jsonb
language sql as $$
  select studio.start_all(jsonb_build_array(p))
$$;

-- The end of a generation, and with it of its charge: exactly one caller gets true.
create function studio.finish(p_account uuid, p_id uuid, p_attempt integer, p_status text, p_code text, p_message text)
returns boolean
language plpgsql as $$
declare
  v_generation studio.generations;
begin
  update studio.generations
     set status = p_status, completed_at = now(), progress = case p_status when 'completed' then 100 else progress end,
         step = null, error_code = p_code, error_message = p_message,
         processing_time_ms = (extract(epoch from clock_timestamp() - started_at) * 1000)::integer
   where account_id = p_account and id = p_id and status in ('pending', 'uploading', 'processing')
     and (p_attempt is null or attempt = p_attempt)
  returning * into v_generation;
  if not found then
    return false;
  end if;
  if p_status = 'completed' then
    perform wallet.capture(p_account, v_generation.hold_id);
  else
    perform wallet.release(p_account, v_generation.hold_id, 'generation ' || p_status);
  end if;
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'generation_' || p_status, jsonb_build_object('generation_id', p_id,
          'style_name', v_generation.style_name, 'processing_time_ms', v_generation.processing_time_ms));
  return true;
end
$$;
