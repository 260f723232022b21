-- How accounts are known: identities at OpenID Connect providers, proven domains, handles, the business face, portraits.

-- Issuer and subject are the identity; the e-mail address is shown to its owner and never matched by.
create table accounts.identities (
  issuer text not null,
  subject text not null,
  account_id uuid not null,
  id uuid not null,
  provider text not null,
  email text,
  last_used_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (issuer, subject),
  constraint identity_named_once unique (account_id, id),
  constraint identity_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint identity_names_are_short check (length(issuer) <= 500 and length(subject) between 1 and 255)
);
create trigger identities_touch before update on accounts.identities for each row execute function core.touch();

-- A sign-in that was begun is finished once: its nonce is kept until nobody could bring it again.
create table accounts.spent_nonces (
  nonce_hash bytea primary key,
  expires_at timestamptz not null,
  created_at timestamptz not null default now()
);
create index spent_nonces_by_end on accounts.spent_nonces (expires_at);

-- Something tells who an account is: an address, a phone, or, for who came through a provider, an identity.
create function accounts.must_be_known() returns trigger
language plpgsql as $$
begin
  if exists (select from accounts.accounts
              where id = new.id and email is null and phone is null and erased_at is null)
     and not exists (select from accounts.identities where account_id = new.id) then
    raise exception 'nothing tells who account % is', new.id
      using errcode = 'check_violation', constraint = 'account_has_an_identifier';
  end if;
  return null;
end
$$;
create constraint trigger accounts_must_be_known after insert or update of email, phone, erased_at on accounts.accounts
  deferrable initially deferred for each row
  when (new.email is null and new.phone is null and new.erased_at is null) execute function accounts.must_be_known();

-- The last way in stays. Asked at the end of the transaction, under the account's lock, so that two at once see each other.
create function accounts.keep_a_way_in() returns trigger
language plpgsql as $$
declare
  v_account accounts.accounts;
begin
  select * into v_account from accounts.accounts where id = old.account_id and erased_at is null for update;
  if found
     and v_account.phone_verified_at is null and v_account.email_verified_at is null
     and (v_account.password_hash is null or (v_account.email is null and v_account.phone is null))
     and not exists (select from accounts.identities where account_id = old.account_id) then
    raise exception 'account % would have no way in', old.account_id
      using errcode = 'check_violation', constraint = 'account_keeps_a_way_in';
  end if;
  return null;
end
$$;
create constraint trigger identities_last_stays after delete on accounts.identities
  deferrable initially deferred for each row execute function accounts.keep_a_way_in();

create function accounts.audit_identity() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'identity_linked', 'identity', new.id::text, jsonb_build_object('provider', new.provider),
                       jsonb_build_object('name', coalesce(new.email, new.subject)), p_otherwise => accounts.oneself(new.account_id, null));
  elsif not exists (select from accounts.accounts where id = old.account_id and erased_at is not null) then
    perform core.audit(old.account_id, 'identity_unlinked', 'identity', old.id::text,
                       jsonb_build_object('provider', old.provider), jsonb_build_object('name', coalesce(old.email, old.subject)));
  end if;
  return null;
end
$$;
create constraint trigger identities_audited after insert or delete on accounts.identities
  deferrable initially deferred for each row execute function accounts.audit_identity();

-- A domain that an account says is its own. Proven by a TXT record with the code, asked for again while it is.
create table accounts.domain_verifications (
  account_id uuid not null,
  id uuid not null,
  domain text not null,
  verification_code text not null,
  status text not null default 'pending',
  verified_at timestamptz,
  checked_at timestamptz,
  answer text,
  unreachable_since timestamptz,
  recheck_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint domain_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade,
  constraint domain_added_once unique (account_id, domain),
  constraint domain_is_plain check (domain = lower(domain) and domain ~ '^([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}$' and length(domain) <= 253),
  constraint domain_status_known check (status in ('pending', 'verified', 'lost')),
  constraint domain_answer_known check (answer in ('found', 'missing', 'different', 'unreachable')),
  constraint domain_verified_has_a_time check (status <> 'verified' or verified_at is not null)
);
create index domains_due on accounts.domain_verifications (recheck_at) where recheck_at is not null;
create index domains_verified on accounts.domain_verifications (domain) where status = 'verified';
create trigger domain_verifications_touch before update on accounts.domain_verifications
  for each row execute function core.touch();

create function accounts.audit_domain() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from accounts.accounts where id = old.account_id and erased_at is not null) then
    return null;  -- an erasure leaves no names behind
  end if;
  perform core.audit(coalesce(new.account_id, old.account_id),
                     'domain_' || case tg_op when 'INSERT' then 'added' when 'DELETE' then 'removed' else new.status end,
                     'domain', coalesce(new.id, old.id)::text,
                     p_said => jsonb_build_object('name', coalesce(new.domain, old.domain)));
  return null;
end
$$;
create constraint trigger domains_audited_when_listed after insert or delete on accounts.domain_verifications
  deferrable initially deferred for each row execute function accounts.audit_domain();
create constraint trigger domains_audited after update of status on accounts.domain_verifications
  deferrable initially deferred for each row when (old.status <> new.status) execute function accounts.audit_domain();

insert into core.settings (key, value, description)
values ('limits.domain_checks', '{"count": 30, "seconds": 600}', 'Domains looked up for one account at its request.');

-- Handles: what nobody may have, and what somebody had until lately and still leads to them.
create table accounts.reserved_handles (
  handle text primary key,
  created_at timestamptz not null default now()
);
insert into accounts.reserved_handles (handle)
select unnest(array[
  'about', 'abuse', 'account', 'accounts', 'admin', 'administrator', 'album', 'albums', 'api', 'apis', 'app', 'audit', 'auth',
  'billing', 'blog', 'buy', 'callback', 'cart', 'checkout', 'contact', 'contacts', 'copyright', 'dev', 'developer',
  'developers', 'docs', 'doctor', 'everyone', 'explore', 'feed', 'files', 'gallery', 'healthz', 'help', 'home', 'host',
  'hostmaster', 'inbox', 'info', 'legal', 'library', 'login', 'logout', 'mail', 'media', 'member', 'members', 'message',
  'messages', 'metrics', 'mod', 'moderation', 'moderator', 'news', 'nobody', 'null', 'official', 'operator', 'operators',
  'order', 'orders', 'outbox', 'password', 'payment', 'payments', 'pictures', 'postmaster', 'posts', 'press', 'pricing',
  'privacy', 'profile', 'profiles', 'readyz', 'register', 'report', 'reports', 'reset', 'root', 'sales', 'sandbox', 'search',
  'security', 'settings', 'shop', 'sign-in', 'sign-out', 'sign-up', 'signin', 'signup', 'staff', 'static', 'status', 'studio',
  'superuser', 'support', 'sysadmin', 'system', 'team', 'terms', 'test', 'theme', 'undefined', 'user', 'users', 'vendor',
  'vendors', 'verified', 'verify', 'vetrina', 'wallet', 'webhook', 'webhooks', 'webmaster', 'www']);

create table accounts.former_handles (
  handle text primary key,
  account_id uuid not null,
  free_at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint former_handle_belongs_to_account foreign key (account_id) references accounts.accounts (id) on delete cascade
);
create index former_handles_by_account on accounts.former_handles (account_id);

-- After the row is written, so that whoever waited for another's change of the same handle sees what it left behind.
create function accounts.keep_handle_rules() returns trigger
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
      raise exception 'the handle % was somebody''s until lately', new.handle
        using errcode = 'unique_violation', constraint = 'account_handle_taken';
    end if;
    delete from accounts.former_handles where handle = new.handle;
  end if;
  if tg_op = 'UPDATE' then
    if new.handle is not null and old.handle_changed_at > now() - interval '14 days' then
      raise exception 'the handle of % was changed lately', new.id
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
create trigger accounts_handle_given after insert on accounts.accounts
  for each row when (new.handle is not null) execute function accounts.keep_handle_rules();
create trigger accounts_handle_changed after update of handle, erased_at on accounts.accounts
  for each row when (old.handle is distinct from new.handle or new.erased_at is not null)
  execute function accounts.keep_handle_rules();

-- The business face. The badge was given to a name: another name has to be looked at anew.
create function accounts.badge_needs_the_name() returns trigger
language plpgsql as $$
begin
  if new.business_name <> old.business_name then
    new.is_verified := false;
  end if;
  new.verified_at := case when not new.is_verified then null when old.is_verified then old.verified_at else now() end;
  return new;
end
$$;
create trigger vendors_badge before update on accounts.vendors
  for each row execute function accounts.badge_needs_the_name();

create function accounts.audit_vendor() returns trigger
language plpgsql as $$
begin
  if old.business_name <> new.business_name then
    perform core.audit(new.account_id, 'business_renamed', 'vendor', new.account_id::text,
                       p_said => jsonb_build_object('from', old.business_name, 'to', new.business_name));
  end if;
  if old.is_verified <> new.is_verified then
    perform core.audit(new.account_id, case when new.is_verified then 'vendor_verified' else 'vendor_unverified' end, 'vendor',
                       new.account_id::text);
  end if;
  return null;
end
$$;
create constraint trigger vendors_audited after update of business_name, is_verified on accounts.vendors
  deferrable initially deferred for each row execute function accounts.audit_vendor();

-- The picture of a person (avatar) and of a business (logo). Here, so that foreign keys go down the stair.
create table media.portraits (
  account_id uuid not null,
  face text not null,
  file_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, face),
  constraint portrait_shows_a_file foreign key (account_id, file_id) references media.files (account_id, id) on delete cascade,
  constraint portrait_face_known check (face in ('avatar', 'logo'))
);
create index portraits_by_file on media.portraits (account_id, file_id);
create trigger portraits_touch before update on media.portraits for each row execute function core.touch();
