-- Changes of an account's address or phone: confirmed at the new one, undone from the old one for seven days; and second
-- factors that an operator removes after a waiting period.

-- squawk-ignore ban-drop-constraint
alter table accounts.verifications drop constraint verification_purpose_known;
alter table accounts.verifications
  add constraint verification_purpose_known
    check (purpose in ('email_verify', 'phone_verify', 'password_reset', 'sign_in', 'email_change', 'phone_change')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table accounts.verifications validate constraint verification_purpose_known;

create table accounts.identifier_changes (
  account_id uuid not null,
  id uuid not null,
  channel text not null,
  old_value text,
  new_value text not null,
  old_verified_at timestamptz,
  undo_until timestamptz,
  undone_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint identifier_change_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint identifier_change_channel_known check (channel in ('email', 'phone'))
);
create index identifier_changes_by_old_value on accounts.identifier_changes (old_value) where undo_until is not null;
create trigger identifier_changes_touch before update on accounts.identifier_changes
  for each row execute function core.touch();

-- A confirmed identifier that was changed is free for another account only when its owner can no longer undo the change.
create function accounts.check_released_identifiers() returns trigger
language plpgsql as $$
begin
  if new.email is not null and exists (
       select from accounts.identifier_changes c join accounts.accounts a on a.id = c.account_id
        where c.channel = 'email' and c.old_value = new.email and a.kind = new.kind and a.id <> new.id
          and c.undo_until > now() and c.undone_at is null) then
    raise exception 'the address is kept for its former account' using errcode = 'unique_violation', constraint = 'account_email_taken';
  end if;
  if new.phone is not null and exists (
       select from accounts.identifier_changes c join accounts.accounts a on a.id = c.account_id
        where c.channel = 'phone' and c.old_value = new.phone and a.kind = new.kind and a.id <> new.id
          and c.undo_until > now() and c.undone_at is null) then
    raise exception 'the number is kept for its former account' using errcode = 'unique_violation', constraint = 'account_phone_taken';
  end if;
  return null;
end
$$;
create trigger accounts_released_identifiers_at_first after insert on accounts.accounts
  for each row execute function accounts.check_released_identifiers();
create trigger accounts_released_identifiers after update of email, phone on accounts.accounts
  for each row when (old.email is distinct from new.email or old.phone is distinct from new.phone)
  execute function accounts.check_released_identifiers();

create table accounts.second_factor_removals (
  account_id uuid primary key,
  due_at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint second_factor_removal_is_of_a_factor foreign key (account_id)
    references accounts.second_factors (account_id) on delete cascade
);
create index second_factor_removals_due on accounts.second_factor_removals (due_at);

create function accounts.audit_second_factor_removal() returns trigger
language plpgsql as $$
begin
  perform core.audit(coalesce(new.account_id, old.account_id),
                     case tg_op when 'INSERT' then 'second_factor_removal_requested' else 'second_factor_removal_ended' end,
                     'account', coalesce(new.account_id, old.account_id)::text);
  return null;
end
$$;
create constraint trigger second_factor_removals_audited after insert or delete on accounts.second_factor_removals
  deferrable initially deferred for each row execute function accounts.audit_second_factor_removal();
