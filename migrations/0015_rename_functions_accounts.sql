-- Functions of core and accounts, under the new names of what they use.

-- squawk-ignore ban-drop-function
drop function core.audit_detail_hash;
-- Hash the personal part of an audit row; the row keeps the hash when the part is erased.
create function core.audit_detail_hash(p_salt bytea, p_ip inet, p_context jsonb) returns bytea
language sql immutable as $$
  select sha256(p_salt || convert_to(jsonb_build_array(host(p_ip), p_context)::text, 'UTF8'))
$$;

-- squawk-ignore ban-drop-function
drop function core.audit;
-- Record what happened to something of account p_account (null: the site). The actor, {"type", "id", "ip"}, is p_actor, else
-- the one that the request named for its transaction (vetrina.actor), else p_otherwise. p_context holds what is personal, and
-- nothing else may. The chain stays locked until the commit, so this comes last in a transaction: its triggers are deferred.
create function core.audit(
  p_account uuid, p_action text, p_resource text, p_resource_id text, p_metadata jsonb default '{}',
  p_context jsonb default '{}', p_actor jsonb default null, p_otherwise jsonb default '{"type": "system"}'
) returns uuid
language plpgsql as $$
declare
  v_actor jsonb := coalesce(p_actor, nullif(current_setting('vetrina.actor', true), '')::jsonb, p_otherwise);
  v_account uuid := coalesce(p_account, '00000000-0000-0000-0000-000000000000');
  v_id uuid := core.new_id();
  v_salt bytea := uuid_send(gen_random_uuid());
  v_ip inet := (v_actor ->> 'ip')::inet;
  v_hash bytea;
begin
  if v_ip is not null or p_context <> '{}' then
    v_hash := core.audit_detail_hash(v_salt, v_ip, p_context);
  end if;
  insert into core.audit_logs (account_id, id, actor_type, actor_id, action, resource, resource_id, metadata, details_hash)
  values (v_account, v_id, v_actor ->> 'type', (v_actor ->> 'id')::uuid, p_action, p_resource, p_resource_id, p_metadata, v_hash);
  if v_hash is not null then
    insert into core.audit_details (account_id, id, salt, ip, context) values (v_account, v_id, v_salt, v_ip, p_context);
  end if;
  return v_id;
end
$$;

create or replace function accounts.audit_account() returns trigger
language plpgsql as $$
declare
  v_self jsonb := jsonb_build_object('type', new.kind, 'id', new.id);
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.id, 'account_registered', 'account', new.id::text, jsonb_build_object('kind', new.kind),
                       p_otherwise => v_self);
    return null;
  end if;
  if new.erased_at is not null then
    return null;
  end if;
  if new.email is distinct from old.email then
    perform core.audit(new.id, 'email_changed', 'account', new.id::text, p_otherwise => v_self,
                       p_context => jsonb_build_object('from', old.email, 'to', new.email));
  end if;
  if new.phone is distinct from old.phone then
    perform core.audit(new.id, 'phone_changed', 'account', new.id::text, p_otherwise => v_self,
                       p_context => jsonb_build_object('from', old.phone, 'to', new.phone));
  end if;
  if new.handle is distinct from old.handle then
    perform core.audit(new.id, 'handle_changed', 'account', new.id::text, p_otherwise => v_self,
                       p_context => jsonb_build_object('from', old.handle, 'to', new.handle));
  end if;
  if new.password_hash is distinct from old.password_hash then
    perform core.audit(new.id, 'password_changed', 'account', new.id::text, p_otherwise => v_self);
  end if;
  if old.email_verified_at is null and new.email_verified_at is not null then
    perform core.audit(new.id, 'email_verified', 'account', new.id::text, p_otherwise => v_self);
  end if;
  if old.phone_verified_at is null and new.phone_verified_at is not null then
    perform core.audit(new.id, 'phone_verified', 'account', new.id::text, p_otherwise => v_self);
  end if;
  return null;
end
$$;

create or replace function accounts.audit_session() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'signed_in', 'session', new.id::text, p_context => jsonb_build_object('device', new.user_agent),
                       p_otherwise => accounts.actor_self(new.account_id, new.ip));
  else
    perform core.audit(new.account_id, 'session_ended', 'session', new.id::text, jsonb_build_object('why', new.revoked_why));
  end if;
  return null;
end
$$;

create or replace function accounts.audit_second_factor() returns trigger
language plpgsql as $$
declare
  v_account uuid := coalesce(new.account_id, old.account_id);
  v_action text := case when tg_table_name = 'recovery_codes' then 'recovery_code_used'
                        when tg_op = 'DELETE' then 'second_factor_off' else 'second_factor_on' end;
begin
  perform core.audit(v_account, v_action, 'account', v_account::text, p_otherwise => accounts.actor_self(v_account, null));
  return null;
end
$$;

create or replace function accounts.audit_identity() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'identity_linked', 'identity', new.id::text, jsonb_build_object('provider', new.provider),
                       jsonb_build_object('name', coalesce(new.email, new.subject)), p_otherwise => accounts.actor_self(new.account_id, null));
  elsif not exists (select from accounts.accounts where id = old.account_id and erased_at is not null) then
    perform core.audit(old.account_id, 'identity_unlinked', 'identity', old.id::text,
                       jsonb_build_object('provider', old.provider), jsonb_build_object('name', coalesce(old.email, old.subject)));
  end if;
  return null;
end
$$;

create or replace function accounts.audit_domain() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from accounts.accounts where id = old.account_id and erased_at is not null) then
    return null;  -- an erasure leaves no names
  end if;
  perform core.audit(coalesce(new.account_id, old.account_id),
                     'domain_' || case tg_op when 'INSERT' then 'added' when 'DELETE' then 'removed' else new.status end,
                     'domain', coalesce(new.id, old.id)::text,
                     p_context => jsonb_build_object('name', coalesce(new.domain, old.domain)));
  return null;
end
$$;

create or replace function accounts.audit_vendor() returns trigger
language plpgsql as $$
begin
  if old.business_name <> new.business_name then
    perform core.audit(new.account_id, 'business_renamed', 'vendor', new.account_id::text,
                       p_context => jsonb_build_object('from', old.business_name, 'to', new.business_name));
  end if;
  if old.is_verified <> new.is_verified then
    perform core.audit(new.account_id, case when new.is_verified then 'vendor_verified' else 'vendor_unverified' end, 'vendor',
                       new.account_id::text);
  end if;
  return null;
end
$$;

-- An account has an e-mail address, a phone or an identity at a provider.
create or replace function accounts.require_identifier() returns trigger
language plpgsql as $$
begin
  if exists (select from accounts.accounts
              where id = new.id and email is null and phone is null and erased_at is null)
     and not exists (select from accounts.identities where account_id = new.id) then
    raise exception 'account % has no identifier', new.id
      using errcode = 'check_violation', constraint = 'account_has_an_identifier';
  end if;
  return null;
end
$$;

-- The last login method stays. Checked at the end of the transaction, under the account's lock, so that two removals at once
-- see each other.
create or replace function accounts.require_login_method() returns trigger
language plpgsql as $$
declare
  v_account accounts.accounts;
begin
  select * into v_account from accounts.accounts where id = old.account_id and erased_at is null for update;
  if found
     and v_account.phone_verified_at is null and v_account.email_verified_at is null
     and (v_account.password_hash is null or (v_account.email is null and v_account.phone is null))
     and not exists (select from accounts.identities where account_id = old.account_id) then
    raise exception 'account % would have no login method', old.account_id
      using errcode = 'check_violation', constraint = 'account_keeps_a_way_in';
  end if;
  return null;
end
$$;

-- Reserved handles, handles given up within 90 days and changes within 14 days are refused. After the row is written, so that
-- a transaction that waited for another's change of the same handle sees what it left.
create or replace function accounts.check_handle() returns trigger
language plpgsql as $$
begin
  if new.erased_at is not null then
    delete from accounts.former_handles where account_id = new.id;
    return null;
  end if;
  if new.handle is not null then
    if exists (select from accounts.reserved_handles where handle = new.handle) then
      raise exception 'the handle % is reserved', new.handle
        using errcode = 'check_violation', constraint = 'account_handle_not_reserved';
    end if;
    if exists (select from accounts.former_handles
                where handle = new.handle and account_id <> new.id and free_at > now()) then
      raise exception 'the handle % was given up less than 90 days ago', new.handle
        using errcode = 'unique_violation', constraint = 'account_handle_taken';
    end if;
    delete from accounts.former_handles where handle = new.handle;
  end if;
  if tg_op = 'UPDATE' then
    if new.handle is not null and old.handle_changed_at > now() - interval '14 days' then
      raise exception 'the handle of % was changed less than 14 days ago', new.id
        using errcode = 'check_violation', constraint = 'account_handle_changes_rarely';
    end if;
    if old.handle is not null then
      insert into accounts.former_handles (handle, account_id, free_at)
      values (old.handle, new.id, now() + interval '90 days');
    end if;
  end if;
  return null;
end
$$;
