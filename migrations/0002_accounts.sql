-- Who someone is. Users and vendors sign in separately: uniqueness is per kind.

create schema accounts;

create table accounts.accounts (
  id uuid primary key,
  kind text not null default 'user',
  handle text,
  handle_changed_at timestamptz,
  email text,
  phone text,
  password_hash text,
  email_verified_at timestamptz,
  phone_verified_at timestamptz,
  is_active boolean not null default true,
  last_login_at timestamptz,
  erased_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint account_kind_known check (kind in ('user', 'vendor')),
  constraint account_handle_taken unique (handle),
  constraint account_handle_shape check (handle ~ '^[a-z0-9](?:[a-z0-9_-]{1,28}[a-z0-9])$'),
  constraint account_email_taken unique (kind, email),
  constraint account_email_shape check (email = lower(email) and email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
  constraint account_phone_taken unique (kind, phone),
  constraint account_phone_is_e164 check (phone ~ '^\+[1-9][0-9]{6,14}$')
);
create trigger accounts_touch before update on accounts.accounts for each row execute function core.touch();

create table accounts.users (
  account_id uuid primary key,
  name text,
  bio text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_is_an_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint user_name_length check (length(name) between 1 and 120),
  constraint user_bio_length check (length(bio) <= 2000)
);
create trigger users_touch before update on accounts.users for each row execute function core.touch();

create table accounts.vendors (
  account_id uuid primary key,
  business_name text not null,
  bio text,
  profile_info jsonb not null default '{}',
  contact_info jsonb not null default '{}',
  social_links jsonb not null default '{}',
  is_verified boolean not null default false,
  verified_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint vendor_is_an_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint vendor_business_name_length check (length(business_name) between 1 and 200),
  constraint vendor_bio_length check (length(bio) <= 2000),
  constraint vendor_facts_are_short check
    (length(profile_info::text) <= 4000 and length(contact_info::text) <= 4000 and length(social_links::text) <= 4000)
);
create trigger vendors_touch before update on accounts.vendors for each row execute function core.touch();

-- A browser's cookie and a program's refresh token are both the secret of a session; only its hash is kept.
-- The token carries account and session id, so that finding it is owner-first too.
create table accounts.sessions (
  account_id uuid not null,
  id uuid not null,
  refresh_token_hash bytea not null,
  previous_token_hash bytea,
  rotation_counter integer not null default 0,
  rotated_at timestamptz,
  user_agent text,
  ip inet,
  last_used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_why text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint session_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint session_ends_after_it_starts check (expires_at > created_at)
);
create trigger sessions_touch before update on accounts.sessions for each row execute function core.touch();
