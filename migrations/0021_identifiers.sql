-- The life of an identifier: claimed, confirmed, released (docs/decisions/0019-life-of-an-identifier.md).

-- Only an identifier that is there is confirmed.
update accounts.accounts set email_verified_at = null where email is null and email_verified_at is not null;
update accounts.accounts set phone_verified_at = null where phone is null and phone_verified_at is not null;
-- The audit of these updates is deferred, and a table with pending triggers cannot be altered.
set constraints all immediate;
alter table accounts.accounts
  add constraint confirmed_email_is_set check (email is not null or email_verified_at is null) not valid,
  add constraint confirmed_phone_is_set check (phone is not null or phone_verified_at is null) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table accounts.accounts validate constraint confirmed_email_is_set;
-- squawk-ignore constraint-missing-not-valid
alter table accounts.accounts validate constraint confirmed_phone_is_set;

-- Apply the rules of confirming to every update of an account, whatever sends it:
-- another value starts as a claim; whoever confirms an identifier has to have shown that they are the account, by its session
-- or its password (accounts.proven names it for the transaction). Without that, the first confirmation ends every way to sign
-- in that was set up before, and a later one is refused.
create function accounts.check_identifiers() returns trigger
language plpgsql as $$
declare
  v_confirms boolean;
begin
  if new.email is distinct from old.email and new.email_verified_at is not distinct from old.email_verified_at then
    new.email_verified_at := null;
  end if;
  if new.phone is distinct from old.phone and new.phone_verified_at is not distinct from old.phone_verified_at then
    new.phone_verified_at := null;
  end if;
  v_confirms := new.email_verified_at is not null and (old.email_verified_at is null or new.email is distinct from old.email)
             or new.phone_verified_at is not null and (old.phone_verified_at is null or new.phone is distinct from old.phone);
  if not v_confirms or new.erased_at is not null or coalesce(current_setting('accounts.proven', true), '') = new.id::text then
    return new;
  end if;
  if old.email_verified_at is not null or old.phone_verified_at is not null then
    raise exception 'account % has a confirmed identifier: another one is confirmed by its owner', new.id
      using errcode = 'check_violation', constraint = 'identifier_confirmed_by_its_account';
  end if;
  if new.password_hash is not distinct from old.password_hash then
    new.password_hash := null;
  end if;
  if new.email_verified_at is null then
    new.email := null;
  end if;
  if new.phone_verified_at is null then
    new.phone := null;
  end if;
  update accounts.sessions set revoked_at = now(), revoked_why = 'identifier confirmed by its owner'
   where account_id = new.id and revoked_at is null;
  delete from accounts.second_factors where account_id = new.id;
  delete from accounts.identities where account_id = new.id;
  return new;
end
$$;
create trigger accounts_identifiers before update of email, phone, email_verified_at, phone_verified_at on accounts.accounts
  for each row execute function accounts.check_identifiers();

-- Confirm an identifier whose code was right. `p_account` is the account that the client has proven to be, or null.
-- confirmed: it was confirmed before, or by its account; taken_over: the first confirmation, without proof, so that earlier
-- ways to sign in have ended; owned: another identifier of its account is confirmed, and nothing was changed. No row: no account.
create function accounts.confirm_identifier(p_kind text, p_email text, p_phone text, p_account uuid, p_password_hash text)
returns table (account_id uuid, outcome text)
language plpgsql as $$
declare
  v accounts.accounts;
  v_claimed boolean;
begin
  select * into v from accounts.accounts a
   where a.kind = p_kind and (a.email = p_email or a.phone = p_phone) and a.is_active for update;
  if not found then
    return;
  end if;
  v_claimed := case when v.email = p_email then v.email_verified_at is null else v.phone_verified_at is null end;
  if v_claimed and v.id is distinct from p_account and (v.email_verified_at is not null or v.phone_verified_at is not null) then
    return query select v.id, 'owned';
    return;
  end if;
  perform set_config('accounts.proven', coalesce(p_account::text, ''), true);
  update accounts.accounts a
     set email_verified_at = case when a.email = p_email then coalesce(a.email_verified_at, now()) else a.email_verified_at end,
         phone_verified_at = case when a.phone = p_phone then coalesce(a.phone_verified_at, now()) else a.phone_verified_at end,
         password_hash = coalesce(p_password_hash, a.password_hash)
   where a.id = v.id;
  perform set_config('accounts.proven', '', true);
  return query select v.id, case when v_claimed and v.id is distinct from p_account then 'taken_over' else 'confirmed' end;
end
$$;

-- The welcome tokens come with the first confirmed identifier, once an account.
create or replace function wallet.create_for_account() returns trigger
language plpgsql as $$
begin
  insert into wallet.memberships (account_id, plan_id, period_end)
  select new.id, p.id, now() + interval '1 day' from wallet.plans p
   where p.name = case new.kind when 'vendor' then 'vendor_free' else 'free' end;
  perform wallet.start_free_period(new.id, now());
  return null;
end
$$;
create function wallet.grant_welcome_tokens() returns trigger
language plpgsql as $$
declare
  v_tokens bigint;
begin
  select (value #>> '{}')::bigint into v_tokens from core.settings where key = 'wallet.welcome_tokens';
  if v_tokens > 0 and not exists (select from wallet.grants where account_id = new.id and key = 'welcome') then
    perform wallet.grant_credits(new.id, 'token', v_tokens, 'free', 'welcome', null, 'Welcome');
  end if;
  return null;
end
$$;
-- Named so that the membership is there first: triggers run in the order of their names.
create trigger accounts_welcome_tokens after insert on accounts.accounts
  for each row when (new.email_verified_at is not null or new.phone_verified_at is not null)
  execute function wallet.grant_welcome_tokens();
create trigger accounts_welcome_tokens_when_confirmed after update of email_verified_at, phone_verified_at on accounts.accounts
  for each row when (old.email_verified_at is null and old.phone_verified_at is null
                     and (new.email_verified_at is not null or new.phone_verified_at is not null))
  execute function wallet.grant_welcome_tokens();

-- A browser's cookie and a program's refresh token open only what they were made for. Of earlier sessions only programs rotate.
alter table accounts.sessions
  add column client text not null default 'browser',
  add constraint session_client_known check (client in ('browser', 'program')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table accounts.sessions validate constraint session_client_known;
update accounts.sessions set client = 'program' where rotation_counter > 0;

-- Failed sign-ins, which are won back evenly with time. `subject` is an HMAC of an identifier or of a known device.
create table accounts.sign_in_failures (
  subject bytea primary key,
  failures double precision not null,
  counted_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint sign_in_failures_positive check (failures >= 0)
);
create index sign_in_failures_by_age on accounts.sign_in_failures (counted_at);
create trigger sign_in_failures_touch before update on accounts.sign_in_failures for each row execute function core.touch();

update core.settings
   set value = jsonb_set(value, '{seconds}', '18000'),
       description = 'Failed sign-ins to one identifier, and from one known device; won back evenly over the time.'
 where key = 'limits.sign_in_target';
