-- A second factor (TOTP, RFC 6238), the codes to get in without it, and how often one may register.

-- The secret is sealed under the site's keys. A step of time is taken once; five wrong codes close it for a quarter of an hour.
create table accounts.second_factors (
  account_id uuid primary key,
  secret text not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  attempt_count integer not null default 0,
  attempts_since timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint second_factor_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint second_factor_attempts_in_range check (attempt_count between 0 and 5)
);
create trigger second_factors_touch before update on accounts.second_factors for each row execute function core.touch();

-- Only an HMAC of each code is kept; a used one stays until new ones are made.
create table accounts.recovery_codes (
  account_id uuid not null,
  code_hash bytea not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, code_hash),
  constraint recovery_code_belongs_to_second_factor foreign key (account_id)
    references accounts.second_factors (account_id) on delete cascade
);
create trigger recovery_codes_touch before update on accounts.recovery_codes for each row execute function core.touch();

create function accounts.audit_second_factor() returns trigger
language plpgsql as $$
declare
  v_account uuid := coalesce(new.account_id, old.account_id);
  v_action text := case when tg_table_name = 'recovery_codes' then 'recovery_code_used'
                        when tg_op = 'DELETE' then 'second_factor_off' else 'second_factor_on' end;
begin
  perform core.audit(v_account, v_action, 'account', v_account::text, p_otherwise => accounts.oneself(v_account, null));
  return null;
end
$$;
create constraint trigger second_factors_audited after update of confirmed_at on accounts.second_factors
  deferrable initially deferred for each row when (old.confirmed_at is null and new.confirmed_at is not null)
  execute function accounts.audit_second_factor();
create constraint trigger second_factors_audited_when_removed after delete on accounts.second_factors
  deferrable initially deferred for each row when (old.confirmed_at is not null)
  execute function accounts.audit_second_factor();
create constraint trigger recovery_codes_audited after update of used_at on accounts.recovery_codes
  deferrable initially deferred for each row when (old.used_at is null and new.used_at is not null)
  execute function accounts.audit_second_factor();

insert into core.settings (key, value, description)
values ('limits.registrations', '{"count": 3000, "seconds": 3600}', 'Registrations tried from one address.');
