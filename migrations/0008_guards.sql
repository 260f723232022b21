-- What guards accounts: codes, roles, limits; and a development site's outbox. The audit log has a file of its own.

-- Mail and SMS that would have gone out. Only a development site writes here.
create table core.outbox (
  id uuid primary key,
  channel text not null,
  recipient text not null,
  subject text not null default '',
  body_text text not null,
  body_html text,
  created_at timestamptz not null default now(),
  constraint outbox_channel_known check (channel in ('mail', 'sms'))
);

-- How often something was done in a window of time. Processes draw their permits from here (core.take), so that the
-- figures hold across all of them and outlive each.
create table core.rate_limits (
  key text not null,
  window_start timestamptz not null,
  count integer not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (key, window_start),
  constraint rate_limit_count_not_negative check (count >= 0)
);
create index rate_limits_by_window on core.rate_limits (window_start);
create trigger rate_limits_touch before update on core.rate_limits for each row execute function core.touch();

-- Up to p_block permits of the p_limit that a window of p_seconds has for this key; none when it is used up.
create function core.take(p_key text, p_limit integer, p_seconds integer, p_block integer)
returns table (granted integer, used integer, resets_at timestamptz)
language plpgsql as $$
declare
  v_start timestamptz := to_timestamp(floor(extract(epoch from clock_timestamp()) / p_seconds) * p_seconds);
begin
  insert into core.rate_limits as r (key, window_start, count) values (p_key, v_start, 0) on conflict do nothing;
  select r.count into used from core.rate_limits r where r.key = p_key and r.window_start = v_start for update;
  granted := greatest(least(p_block, p_limit - used), 0);
  if granted > 0 then
    update core.rate_limits r set count = r.count + granted where r.key = p_key and r.window_start = v_start;
  end if;
  used := used + granted;
  resets_at := v_start + make_interval(secs => p_seconds);
  return next;
end
$$;

insert into core.settings (key, value, description)
values
  ('limits.api', '{"count": 12000, "seconds": 60}', 'Calls of the API by one account, or by one address without one.'),
  ('limits.sign_in', '{"count": 1200, "seconds": 60}', 'Signing in and up, codes and resets, by one address.'),
  ('limits.sign_in_target', '{"count": 20, "seconds": 60}', 'Tries to sign in to one e-mail address or phone.'),
  ('limits.codes_target', '{"count": 5, "seconds": 900}', 'Codes sent to one e-mail address or phone.'),
  ('limits.codes_address', '{"count": 200, "seconds": 3600}', 'Codes asked for from one address.'),
  ('limits.codes_service', '{"count": 5000, "seconds": 3600}', 'Codes sent by the whole site.'),
  ('limits.uploads', '{"count": 1200, "seconds": 60}', 'Uploads by one account.'),
  ('limits.generations', '{"count": 6000, "seconds": 60}', 'Generations started by one account.');

-- One live code for each target and purpose: a resend replaces it, and wrong guesses go on counting until an hour has
-- passed since the last. Only an HMAC of the code is kept. There need be no account.
create table accounts.verifications (
  kind text not null,
  purpose text not null,
  target text not null,
  id uuid not null,
  code_hash bytea not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  attempt_count integer not null default 0,
  attempts_since timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (target, purpose, kind),
  constraint verification_kind_known check (kind in ('user', 'vendor')),
  constraint verification_purpose_known check (purpose in ('email_verify', 'phone_verify', 'password_reset', 'sign_in')),
  constraint verification_attempts_in_range check (attempt_count between 0 and 5),
  constraint verification_is_short check (expires_at <= updated_at + interval '11 minutes')
);
create index verifications_by_age on accounts.verifications (updated_at);
create trigger verifications_touch before update on accounts.verifications for each row execute function core.touch();

create table accounts.user_roles (
  account_id uuid not null,
  role text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, role),
  constraint role_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint role_known check (role in ('superuser', 'admin', 'user', 'member'))
);
create index user_roles_by_role on accounts.user_roles (role);

-- Who is disabled is signed out, whatever disabled them; and every process hears of a session that ended.
create function accounts.end_sessions() returns trigger
language plpgsql as $$
begin
  update accounts.sessions set revoked_at = now(), revoked_why = 'account disabled'
   where account_id = new.id and revoked_at is null;
  return null;
end
$$;
create trigger accounts_disabled after update of is_active on accounts.accounts
  for each row when (old.is_active and not new.is_active) execute function accounts.end_sessions();

create function accounts.tell_of_end() returns trigger
language plpgsql as $$
begin
  perform pg_notify('sessions', new.account_id || '/' || new.id);
  return null;
end
$$;
create trigger sessions_ended after update of revoked_at on accounts.sessions
  for each row when (old.revoked_at is null and new.revoked_at is not null) execute function accounts.tell_of_end();
-- squawk-ignore require-concurrent-index-creation
create index sessions_by_end on accounts.sessions (revoked_at) where revoked_at is not null;

-- The operator's search: how an address, a phone, a handle or a name begins.
-- squawk-ignore require-concurrent-index-creation
create index accounts_by_beginning_of_email on accounts.accounts (email text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
create index accounts_by_beginning_of_phone on accounts.accounts (phone text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
create index accounts_by_beginning_of_handle on accounts.accounts (handle text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
create index users_by_beginning_of_name on accounts.users (lower(name) text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
create index vendors_by_beginning_of_name on accounts.vendors (lower(business_name) text_pattern_ops);

-- A copy of everything of somebody's, made by a job and fetched by a signed link until it expires.
create table accounts.exports (
  account_id uuid not null,
  id uuid not null,
  status text not null default 'pending',
  storage_key text,
  bytes bigint,
  finished_at timestamptz,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint export_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint export_status_known check (status in ('pending', 'ready', 'failed')),
  constraint export_is_somewhere_when_ready check (status <> 'ready' or (storage_key is not null and bytes is not null))
);
create unique index export_under_way on accounts.exports (account_id) where status = 'pending';
create index exports_by_end on accounts.exports (expires_at);
create trigger exports_touch before update on accounts.exports for each row execute function core.touch();

-- Who asked to be forgotten. The row stays: a job that was killed goes on from it.
create table accounts.erasures (
  account_id uuid primary key,
  finished_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint erasure_is_of_an_account foreign key (account_id) references accounts.accounts (id)
);
create index erasures_under_way on accounts.erasures (created_at) where finished_at is null;
create trigger erasures_touch before update on accounts.erasures for each row execute function core.touch();
