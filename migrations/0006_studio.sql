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

-- One generation: files, charge, row, usage record and job together or not at all.
-- What can be refused is refused by value, so that many may share one transaction:
-- {"outcome": "created" | "replayed", ...} or {"refused": code, ...}.
create function studio.start(p jsonb) returns jsonb
language plpgsql as $$
declare
  v_account uuid := (p->>'account_id')::uuid;
  v_id uuid := (p->>'id')::uuid;
  v_key text := p->>'key';
  v_hash bytea := decode(p->>'request_hash', 'hex');
  v_asset text := coalesce(p->>'charge', 'token');
  v_known core.idempotency_keys;
  v_style studio.styles;
  v_files record;
  v_hold uuid;
  v_cost bigint;
  v_response jsonb;
begin
  if p ? 'session_id' and not exists (
    select from accounts.sessions s join accounts.accounts a on a.id = s.account_id
     where s.account_id = v_account and s.id = (p->>'session_id')::uuid
       and s.revoked_at is null and s.expires_at > now() and a.is_active) then
    return '{"refused": "unauthenticated"}';
  end if;

  if v_key is not null then
    insert into core.idempotency_keys (account_id, key, request_hash) values (v_account, v_key, v_hash)
    on conflict do nothing;
    if not found then
      select * into strict v_known from core.idempotency_keys where account_id = v_account and key = v_key;
      if v_known.request_hash <> v_hash then
        return '{"refused": "key-reused"}';
      elsif v_known.response is null then
        return '{"refused": "key-in-use"}';
      end if;
      return v_known.response || '{"outcome": "replayed"}';
    end if;
  end if;

  select * into v_style from studio.styles where name = p->>'style_name' and is_active;
  select count(f.id) as found, count(w.id) as wanted,
         count(*) filter (where f.category = w.category) as fitting,
         coalesce(jsonb_agg(jsonb_build_object('role', w.role, 'file', media.facts(f)) order by w.role, w.position), '[]') as facts
    into v_files
    from (select value::uuid as id, 'product' as role, 'product_image' as category, ordinality as position
            from jsonb_array_elements_text(p->'product_files') with ordinality
          union all
          select value::uuid, 'model', 'model_image', ordinality
            from jsonb_array_elements_text(p->'model_files') with ordinality) w
    left join media.files f on f.account_id = v_account and f.id = w.id;

  if v_style.name is null then
    v_response := '{"refused": "unknown-style"}';
  elsif v_files.found < v_files.wanted then
    v_response := '{"refused": "file-not-found"}';
  elsif v_files.fitting < v_files.wanted then
    v_response := '{"refused": "wrong-category"}';
  else
    v_cost := case v_asset when 'token' then v_style.cost else 1 end;
    v_hold := wallet.hold(v_account, v_asset, v_cost, 'generation:' || v_id);
    if v_hold is null then
      v_response := jsonb_build_object('refused', 'insufficient-credits', 'asset', v_asset, 'cost', v_cost, 'balance',
        coalesce((select balance from wallet.wallets where account_id = v_account and asset = v_asset), 0));
    end if;
  end if;
  if v_response is not null then
    -- A refused request leaves no trace, so that the same key may be sent again once it can succeed.
    delete from core.idempotency_keys where account_id = v_account and key = v_key;
    return v_response;
  end if;

  insert into studio.generations
    (account_id, id, style_name, engine, prompt, parameters, seed, charge_asset, cost, hold_id, retry_of)
  values (v_account, v_id, v_style.name, v_style.engine, coalesce(p->>'prompt', ''), coalesce(p->'parameters', '{}'),
          (p->>'seed')::bigint, v_asset, v_cost, v_hold, (p->>'retry_of')::uuid);
  insert into studio.generation_files (account_id, generation_id, role, position, file_id, category)
  select v_account, v_id, w.role, w.position, w.value::uuid, w.role || '_image'
    from (select 'product' as role, value, ordinality as position
            from jsonb_array_elements_text(p->'product_files') with ordinality
          union all
          select 'model', value, ordinality from jsonb_array_elements_text(p->'model_files') with ordinality) w;
  insert into core.usage (account_id, action, metadata)
  values (v_account, 'generation_started', jsonb_build_object('generation_id', v_id, 'style_name', v_style.name,
          'asset', v_asset, 'cost', v_cost));
  perform core.enqueue('studio.generate', jsonb_build_object('account_id', v_account, 'generation_id', v_id), 'studio');

  v_response := jsonb_build_object('id', v_id, 'cost', v_cost, 'engine', v_style.engine, 'seed', (p->>'seed')::bigint,
    'files', v_files.facts, 'created_at', now());
  if v_key is not null then
    update core.idempotency_keys set response = v_response where account_id = v_account and key = v_key;
  end if;
  return v_response || '{"outcome": "created"}';
end
$$;

-- A batch of them: one round trip, one commit, each decided on its own, in the order given.
create function studio.start_all(p_items jsonb) returns setof jsonb
language sql as $$
  select studio.start(value) from jsonb_array_elements(p_items) with ordinality order by ordinality
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
