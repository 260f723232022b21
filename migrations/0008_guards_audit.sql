-- The audit log, and what writes it by itself.

-- Who did what to what, from where. One chain for each account that something happened to (all zeros: the house): a row
-- carries the hash of the one before it, the head tells the last, so that a changed, removed or added row is found.
create table core.audit_heads (
  account_id uuid primary key,
  position bigint not null,
  hash bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint audit_head_position_positive check (position > 0)
);
create trigger audit_heads_touch before update on core.audit_heads for each row execute function core.touch();

create table core.audit_logs (
  account_id uuid not null,
  id uuid not null,
  position bigint not null,
  actor_type text not null,
  actor_id uuid,
  action text not null,
  resource text,
  resource_id text,
  metadata jsonb not null default '{}',
  details_hash bytea,
  previous_hash bytea not null,
  hash bytea not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint audit_position_taken unique (account_id, position),
  constraint audit_actor_known check (actor_type in ('system', 'user', 'vendor', 'admin')),
  constraint audit_action_is_named check (action ~ '^[a-z][a-z_]{2,63}$')
);
create index audit_logs_by_action on core.audit_logs (action, id);
create index audit_logs_by_id on core.audit_logs (id);
create index audit_logs_by_actor on core.audit_logs (actor_id) where actor_id is not null;

-- What is personal of a row: where from, and what was said. An account that is erased loses it, and its chain still holds:
-- the row keeps a salted hash.
create table core.audit_details (
  account_id uuid not null,
  id uuid not null,
  salt bytea not null,
  ip inet,
  said jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint audit_detail_is_of_a_row foreign key (account_id, id) references core.audit_logs (account_id, id)
);

create function core.audit_detail_hash(p_salt bytea, p_ip inet, p_said jsonb) returns bytea
language sql immutable as $$
  select sha256(p_salt || convert_to(jsonb_build_array(host(p_ip), p_said)::text, 'UTF8'))
$$;

-- What a row says, hashed. The time is written so that no session's settings change the text.
create function core.audit_hash(p core.audit_logs) returns bytea
language sql immutable as $$
  select sha256(convert_to(jsonb_build_array(
    encode(p.previous_hash, 'hex'), p.account_id, p.id, p.position, p.actor_type, p.actor_id, p.action, p.resource,
    p.resource_id, p.metadata, encode(p.details_hash, 'hex'), floor(extract(epoch from p.created_at) * 1000000)::bigint
  )::text, 'UTF8'))
$$;

create function core.audit_chain() returns trigger
language plpgsql as $$
declare
  v_head core.audit_heads;
begin
  insert into core.audit_heads (account_id, position, hash) values (new.account_id, 1, '\x')
  on conflict (account_id) do update set position = core.audit_heads.position + 1
  returning * into v_head;
  new.position := v_head.position;
  new.previous_hash := v_head.hash;
  new.hash := core.audit_hash(new);
  update core.audit_heads set hash = new.hash where account_id = new.account_id;
  return new;
end
$$;
create trigger audit_logs_chain before insert on core.audit_logs for each row execute function core.audit_chain();
create trigger audit_logs_append_only before update or delete on core.audit_logs
  for each row execute function core.refuse_change();

-- Write down what happened to something of p_account's (null: of the house). Who acts, {"type", "id", "ip"}, is p_actor, or
-- whom the request named for its transaction (vetrina.actor), or p_otherwise. p_said holds what is personal; the rest must not.
-- The chain stays locked until the commit, so it comes last in a transaction: triggers that call it are deferred.
create function core.audit(
  p_account uuid, p_action text, p_resource text, p_resource_id text, p_metadata jsonb default '{}',
  p_said jsonb default '{}', p_actor jsonb default null, p_otherwise jsonb default '{"type": "system"}'
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
  if v_ip is not null or p_said <> '{}' then
    v_hash := core.audit_detail_hash(v_salt, v_ip, p_said);
  end if;
  insert into core.audit_logs (account_id, id, actor_type, actor_id, action, resource, resource_id, metadata, details_hash)
  values (v_account, v_id, v_actor ->> 'type', (v_actor ->> 'id')::uuid, p_action, p_resource, p_resource_id, p_metadata, v_hash);
  if v_hash is not null then
    insert into core.audit_details (account_id, id, salt, ip, said) values (v_account, v_id, v_salt, v_ip, p_said);
  end if;
  return v_id;
end
$$;

create function core.audit_setting() returns trigger
language plpgsql as $$
begin
  perform core.audit(null, 'setting_changed', 'setting', new.key, jsonb_build_object('from', old.value, 'to', new.value));
  return null;
end
$$;
create constraint trigger settings_audited after update of value on core.settings deferrable initially deferred
  for each row when (old.value is distinct from new.value) execute function core.audit_setting();

-- What happens to accounts, sessions, roles, credits and payments is written down whoever does it, when the transaction commits.
create function accounts.oneself(p_account uuid, p_ip inet) returns jsonb
language sql stable as $$
  select jsonb_build_object('type', kind, 'id', id, 'ip', host(p_ip)) from accounts.accounts where id = p_account
$$;

create function accounts.audit_account() returns trigger
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
                       p_said => jsonb_build_object('from', old.email, 'to', new.email));
  end if;
  if new.phone is distinct from old.phone then
    perform core.audit(new.id, 'phone_changed', 'account', new.id::text, p_otherwise => v_self,
                       p_said => jsonb_build_object('from', old.phone, 'to', new.phone));
  end if;
  if new.handle is distinct from old.handle then
    perform core.audit(new.id, 'handle_changed', 'account', new.id::text, p_otherwise => v_self,
                       p_said => jsonb_build_object('from', old.handle, 'to', new.handle));
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
create constraint trigger accounts_audited_when_made after insert on accounts.accounts deferrable initially deferred
  for each row execute function accounts.audit_account();
create constraint trigger accounts_audited
  after update of email, phone, handle, password_hash, email_verified_at, phone_verified_at on accounts.accounts
  deferrable initially deferred for each row execute function accounts.audit_account();

create function accounts.audit_session() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'signed_in', 'session', new.id::text, p_said => jsonb_build_object('device', new.user_agent),
                       p_otherwise => accounts.oneself(new.account_id, new.ip));
  else
    perform core.audit(new.account_id, 'session_ended', 'session', new.id::text, jsonb_build_object('why', new.revoked_why));
  end if;
  return null;
end
$$;
create constraint trigger sessions_audited_when_opened after insert on accounts.sessions deferrable initially deferred
  for each row execute function accounts.audit_session();
create constraint trigger sessions_audited after update of revoked_at on accounts.sessions deferrable initially deferred
  for each row when (old.revoked_at is null and new.revoked_at is not null) execute function accounts.audit_session();

create function accounts.audit_role() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'role_granted', 'role', new.role);
  else
    perform core.audit(old.account_id, 'role_revoked', 'role', old.role);
  end if;
  return null;
end
$$;
create constraint trigger roles_audited after insert or delete on accounts.user_roles deferrable initially deferred
  for each row execute function accounts.audit_role();

create function wallet.audit_grant() returns trigger
language plpgsql as $$
begin
  perform core.audit(new.account_id, 'credits_granted', 'grant', new.id::text,
                     jsonb_build_object('asset', new.asset, 'quantity', new.quantity, 'source', new.source));
  return null;
end
$$;
-- Allowances of a plan come by themselves, every month; the rest was bought or given.
create constraint trigger grants_audited after insert on wallet.grants deferrable initially deferred
  for each row when (new.source in ('purchase', 'refund', 'gift')) execute function wallet.audit_grant();

create function payments.audit_payment() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'payment_started', 'payment', new.id::text,
                       jsonb_build_object('gateway', new.gateway, 'amount', new.amount, 'currency', new.currency),
                       p_otherwise => accounts.oneself(new.account_id, null));
  else
    perform core.audit(new.account_id, 'payment_' || new.status, 'payment', new.id::text,
                       jsonb_build_object('gateway', new.gateway, 'amount', new.amount, 'currency', new.currency));
  end if;
  return null;
end
$$;
create constraint trigger payments_audited_when_started after insert on payments.payments deferrable initially deferred
  for each row execute function payments.audit_payment();
create constraint trigger payments_audited after update of status on payments.payments deferrable initially deferred
  for each row when (old.status is distinct from new.status) execute function payments.audit_payment();
