-- What every module stands on. No domain words here.
-- The schema "public" belongs to procrastinate (jobs); its own migrations run before this file.

-- The schema "core" and the table core.migrations are made by core/migrate.py, which has to read them first.

-- UUIDv7 (RFC 9562) for rows that are made inside the database; PostgreSQL has its own only from 18 on.
create function core.new_id() returns uuid
language sql volatile parallel safe as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
              placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
              from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;

create function core.touch() returns trigger
language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create function core.refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_schema || '.' || tg_table_name
    using errcode = 'check_violation', constraint = tg_table_name || '_append_only';
end
$$;

-- Enqueue a job inside the caller's transaction, by procrastinate's own versioned function.
create function core.enqueue(p_task text, p_args jsonb, p_queue text, p_priority integer default 0, p_lock text default null)
returns bigint
language sql as $$
  select (procrastinate_defer_jobs_v1(array[
    row(p_queue, p_task, p_priority, p_lock, null, p_args, null)::procrastinate_job_to_defer_v1
  ]))[1]
$$;

-- Several jobs of one kind at once.
create function core.enqueue_all(p_task text, p_args jsonb[], p_queue text, p_priority integer default 0) returns bigint[]
language sql as $$
  select procrastinate_defer_jobs_v1(array(
    select row(p_queue, p_task, p_priority, null, null, args, null)::procrastinate_job_to_defer_v1 from unnest(p_args) args))
$$;

create table core.settings (
  key text primary key,
  value jsonb not null,
  description text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger settings_touch before update on core.settings for each row execute function core.touch();

-- Every action, for its owner's statistics. `accounts` stands above core, so there is no foreign key:
-- the figures outlive an erased account under its bare id.
create table core.usage (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  action text not null,
  at timestamptz not null default now(),
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint usage_action_is_named check (action ~ '^[a-z][a-z_]{2,63}$')
);
create index usage_by_account_and_time on core.usage (account_id, at);
create index usage_by_account_and_action on core.usage (account_id, action, at);
create index usage_by_action on core.usage (action, at);

-- One row a key. Work of several transactions claims it first: `work_id` names what is being made, so that whoever
-- takes the key over goes on with the same thing; `claimed_at` is the fence, null when nobody is at it.
create table core.idempotency_keys (
  account_id uuid not null,
  key text not null,
  request_hash bytea not null,
  response jsonb,
  work_id uuid,
  claimed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, key),
  constraint idempotency_key_is_short check (length(key) between 1 and 255)
);
create index idempotency_keys_by_age on core.idempotency_keys (created_at);
create trigger idempotency_keys_touch before update on core.idempotency_keys
  for each row execute function core.touch();
