-- Bytes that an account stores, counted in the transaction that writes the row, and its limit.

-- One row an account. Its lock decides between uploads that arrive together, so that the limit is never exceeded.
create table accounts.storage (
  account_id uuid primary key,
  -- Originals and thumbnails.
  file_bytes bigint not null default 0,
  export_bytes bigint not null default 0,
  -- What the account's plan includes; null where the plan says nothing.
  plan_mb integer,
  -- What an operator set for this account alone; null for the site's defaults, 0 for no limit.
  own_mb integer,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint storage_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint storage_not_negative check (least(file_bytes, export_bytes) >= 0),
  constraint storage_limit_in_range check (own_mb between 0 and 100000000)
);
create trigger storage_touch before update on accounts.storage for each row execute function core.touch();

insert into core.settings (key, value, description) values
  ('storage.unconfirmed_mb', '50', 'Megabytes that an account without a confirmed address or phone may store; 0 for no limit.'),
  ('storage.user_mb', '1000', 'Megabytes that a person''s account may store; 0 for no limit. A plan may include more.'),
  ('storage.vendor_mb', '5000', 'Megabytes that a business account may store; 0 for no limit. A plan may include more.');

-- Bytes that this account may store; null for no limit.
create function accounts.storage_limit(s accounts.storage) returns bigint
language sql stable as $$
  select nullif(case
           when s.own_mb is not null then s.own_mb
           when d.mb = 0 then 0
           else greatest(d.mb, s.plan_mb) end, 0) * 1000000
    from accounts.accounts a
   cross join lateral (
     select (c.value #>> '{}')::bigint as mb from core.settings c
      where c.key = case when a.email_verified_at is null and a.phone_verified_at is null then 'storage.unconfirmed_mb'
                         else 'storage.' || a.kind || '_mb' end) d
   where a.id = s.account_id
$$;

-- Count bytes, negative ones for deletions. With `p_enforce` more bytes than the limit are refused.
create function accounts.add_storage(p_account uuid, p_files bigint, p_exports bigint, p_enforce boolean) returns void
language plpgsql as $$
begin
  insert into accounts.storage (account_id) values (p_account) on conflict do nothing;
  update accounts.storage s
     set file_bytes = file_bytes + p_files, export_bytes = export_bytes + p_exports
   where s.account_id = p_account
     and (not p_enforce or s.file_bytes + s.export_bytes + p_files + p_exports <= coalesce(accounts.storage_limit(s), 9223372036854775807));
  if not found then
    raise exception 'account % stores as much as it may', p_account
      using errcode = 'check_violation', constraint = 'storage_within_limit';
  end if;
end
$$;

-- Set the megabytes that an account's plan includes.
create function accounts.set_plan_storage(p_account uuid, p_mb integer) returns void
language sql as $$
  insert into accounts.storage as s (account_id, plan_mb) values (p_account, p_mb)
  on conflict (account_id) do update set plan_mb = excluded.plan_mb where s.plan_mb is distinct from excluded.plan_mb
$$;

create function accounts.audit_storage_limit() returns trigger
language plpgsql as $$
begin
  perform core.audit(new.account_id, 'storage_limit_changed', 'account', new.account_id::text,
                     jsonb_build_object('from_mb', old.own_mb, 'to_mb', new.own_mb));
  return null;
end
$$;
create constraint trigger storage_limit_audited after update of own_mb on accounts.storage deferrable initially deferred
  for each row when (old.own_mb is distinct from new.own_mb) execute function accounts.audit_storage_limit();

-- Exports are counted and never refused by the limit: everybody may have their data. There is one of each account.
create function accounts.count_export() returns trigger
language plpgsql as $$
declare
  v_before bigint := case when tg_op = 'INSERT' then 0 else coalesce(old.bytes, 0) end;
  v_after bigint := case when tg_op = 'DELETE' then 0 else coalesce(new.bytes, 0) end;
begin
  if v_before <> v_after then
    perform accounts.add_storage(coalesce(new.account_id, old.account_id), 0, v_after - v_before, false);
  end if;
  if tg_op = 'DELETE' and old.storage_key is not null then
    perform core.enqueue('accounts.delete_export', jsonb_build_object('key', old.storage_key), 'core');
  end if;
  return null;
end
$$;
create trigger exports_counted after insert or update or delete on accounts.exports
  for each row execute function accounts.count_export();

insert into accounts.storage (account_id) select id from accounts.accounts;
update accounts.storage s set export_bytes = e.bytes
  from (select account_id, sum(bytes) as bytes from accounts.exports where bytes is not null group by account_id) e
 where e.account_id = s.account_id and e.bytes > 0;
delete from accounts.exports e
 where e.status = 'ready'
   and exists (select from accounts.exports n where n.account_id = e.account_id and n.status = 'ready' and n.id > e.id);
-- squawk-ignore require-concurrent-index-creation
create unique index export_one_ready on accounts.exports (account_id) where status = 'ready';
