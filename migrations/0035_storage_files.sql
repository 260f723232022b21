-- Files and plans in the count of stored bytes.

-- Bytes of the thumbnails. Null for files of earlier versions until the job media.measure_thumbnails has read their sizes.
alter table media.files
  add column derived_bytes bigint,
  add constraint file_derived_bytes_not_negative check (derived_bytes >= 0) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table media.files validate constraint file_derived_bytes_not_negative;
-- squawk-ignore require-concurrent-index-creation
create index files_not_measured on media.files (account_id, id) where derived_bytes is null;

-- One count a statement and account: an erasure deletes many rows.
create function media.count_new_files() returns trigger
language plpgsql as $$
begin
  perform accounts.add_storage(n.account_id, n.bytes, 0, true)
     from (select account_id, sum(bytes + coalesce(derived_bytes, 0))::bigint as bytes from added group by 1 order by 1) n;
  return null;
end
$$;
create trigger files_counted after insert on media.files
  referencing new table as added for each statement execute function media.count_new_files();

create function media.count_deleted_files() returns trigger
language plpgsql as $$
begin
  perform accounts.add_storage(n.account_id, -n.bytes, 0, false)
     from (select account_id, sum(bytes + coalesce(derived_bytes, 0))::bigint as bytes from deleted group by 1 order by 1) n;
  return null;
end
$$;
create trigger files_no_longer_counted after delete on media.files
  referencing old table as deleted for each statement execute function media.count_deleted_files();

create function media.count_measured_file() returns trigger
language plpgsql as $$
begin
  perform accounts.add_storage(new.account_id, new.bytes - old.bytes + coalesce(new.derived_bytes, 0)
    - coalesce(old.derived_bytes, 0), 0, false);
  return null;
end
$$;
create trigger files_counted_again after update of bytes, derived_bytes on media.files
  for each row when (old.bytes <> new.bytes or old.derived_bytes is distinct from new.derived_bytes)
  execute function media.count_measured_file();

do $$
begin
  perform accounts.add_storage(f.account_id, f.bytes, 0, false)
     from (select account_id, sum(bytes)::bigint as bytes from media.files group by 1) f;
  if exists (select from media.files) then
    perform core.enqueue('media.measure_thumbnails', '{}', 'media');
  end if;
end
$$;

-- Storage that a plan includes.
alter table wallet.plans
  add column storage_mb integer,
  add constraint plan_storage_positive check (storage_mb > 0) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table wallet.plans validate constraint plan_storage_positive;
update wallet.plans
   set storage_mb = case name when 'basic' then 5000 when 'advanced' then 20000 when 'vendor_pro' then 50000 end
 where name in ('basic', 'advanced', 'vendor_pro');

create function wallet.apply_plan_storage() returns trigger
language plpgsql as $$
begin
  if tg_table_name = 'memberships' then
    perform accounts.set_plan_storage(new.account_id, p.storage_mb) from wallet.plans p where p.id = new.plan_id;
  else
    perform accounts.set_plan_storage(m.account_id, new.storage_mb)
       from wallet.memberships m where m.plan_id = new.id order by m.account_id;
  end if;
  return null;
end
$$;
create trigger memberships_storage_at_first after insert on wallet.memberships
  for each row execute function wallet.apply_plan_storage();
create trigger memberships_storage after update of plan_id on wallet.memberships
  for each row when (old.plan_id <> new.plan_id) execute function wallet.apply_plan_storage();
create trigger plans_storage after update of storage_mb on wallet.plans
  for each row when (old.storage_mb is distinct from new.storage_mb) execute function wallet.apply_plan_storage();

do $$
begin
  perform accounts.set_plan_storage(m.account_id, p.storage_mb)
     from wallet.memberships m join wallet.plans p on p.id = m.plan_id where p.storage_mb is not null;
end
$$;
