-- Credits of every kind. Entries are append-only; balances are kept beside them in the same transaction.
-- Always: balance = sum of entries = sum of what is left of the grants; held = sum of open holds.

create schema wallet;

create domain wallet.asset as text
  constraint asset_known check (value in ('token', 'conversion', 'image_slot', 'contact', 'posting'));

create table wallet.plans (
  id uuid primary key default core.new_id(),
  name text not null,
  kind text not null,
  display_name text not null,
  description text,
  price_per_month bigint not null default 0,
  currency text not null default 'IRR',
  monthly_tokens integer not null default 0,
  monthly_conversions_limit integer not null default 0,
  monthly_images_limit integer not null default 0,
  features text[] not null default '{}',
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint plan_name_taken unique (name),
  constraint plan_kind_known check (kind in ('user', 'vendor')),
  constraint plan_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
  constraint plan_figures_not_negative check (
    least(price_per_month, monthly_tokens, monthly_conversions_limit, monthly_images_limit) >= 0)
);
create trigger plans_touch before update on wallet.plans for each row execute function core.touch();

insert into wallet.plans (name, kind, display_name, description, price_per_month, monthly_conversions_limit, monthly_images_limit, features) values
  ('free', 'user', 'Free', 'Two conversions and five images a month.', 0, 2, 5, '{"2 conversions a month","5 images a month"}'),
  ('basic', 'user', 'Basic', 'For regular use.', 50000, 20, 50, '{"20 conversions a month","50 images a month"}'),
  ('advanced', 'user', 'Advanced', 'For daily use.', 150000, 100, 200, '{"100 conversions a month","200 images a month"}'),
  ('vendor_free', 'vendor', 'Vendor Free', 'Ten gallery images.', 0, 0, 10, '{"10 images"}'),
  ('vendor_pro', 'vendor', 'Vendor Pro', 'A full gallery.', 100000, 0, 500, '{"500 images"}');

create table wallet.packs (
  id uuid primary key default core.new_id(),
  name text not null,
  title text not null,
  asset wallet.asset not null,
  quantity integer not null,
  price bigint not null,
  currency text not null,
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint pack_name_taken unique (name),
  constraint pack_quantity_positive check (quantity > 0),
  constraint pack_price_positive check (price > 0),
  constraint pack_currency_is_iso check (currency ~ '^[A-Z]{3}$')
);
create trigger packs_touch before update on wallet.packs for each row execute function core.touch();

insert into wallet.packs (name, title, asset, quantity, price, currency, position) values
  ('tokens_50', 'Sketchbook', 'token', 50, 499, 'USD', 1),
  ('tokens_200', 'Studio', 'token', 200, 1499, 'USD', 2),
  ('tokens_1000', 'Atelier', 'token', 1000, 5999, 'USD', 3);

create table wallet.wallets (
  account_id uuid not null,
  asset wallet.asset not null,
  balance bigint not null default 0,
  held bigint not null default 0,
  lifetime_granted bigint not null default 0,
  lifetime_used bigint not null default 0,
  frozen boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, asset),
  constraint wallet_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint wallet_not_overdrawn check (balance >= 0),
  constraint wallet_held_not_negative check (held >= 0),
  constraint wallet_lifetime_not_negative check (least(lifetime_granted, lifetime_used) >= 0)
);
create trigger wallets_touch before update on wallet.wallets for each row execute function core.touch();

-- Spending stops while money is disputed. A frozen wallet may be given to and taken back from; nothing can be set aside.
create function wallet.refuse_frozen() returns trigger
language plpgsql as $$
begin
  raise exception 'this wallet is frozen' using errcode = 'check_violation', constraint = 'wallet_not_frozen';
end
$$;
create trigger wallet_not_frozen before update of held on wallet.wallets
  for each row when (old.frozen and new.held > old.held) execute function wallet.refuse_frozen();

create table wallet.grants (
  account_id uuid not null,
  id uuid not null,
  asset wallet.asset not null,
  source text not null,
  quantity bigint not null,
  remaining bigint not null,
  expires_at timestamptz,
  extended_at timestamptz,
  key text not null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint grant_made_once unique (account_id, key),
  constraint grant_belongs_to_wallet foreign key (account_id, asset) references wallet.wallets (account_id, asset),
  constraint grant_source_known check (source in ('free', 'plan', 'purchase', 'refund', 'gift')),
  constraint grant_quantity_positive check (quantity > 0),
  constraint grant_remaining_in_range check (remaining between 0 and quantity)
);
create index grants_to_spend on wallet.grants (account_id, asset, expires_at, id) where remaining > 0;
create index grants_to_expire on wallet.grants (expires_at) where remaining > 0 and expires_at is not null;
create trigger grants_touch before update on wallet.grants for each row execute function core.touch();

create table wallet.holds (
  account_id uuid not null,
  id uuid not null,
  asset wallet.asset not null,
  quantity bigint not null,
  state text not null default 'held',
  key text not null,
  reason text,
  settled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint hold_made_once unique (account_id, key),
  constraint hold_belongs_to_wallet foreign key (account_id, asset) references wallet.wallets (account_id, asset),
  constraint hold_state_known check (state in ('held', 'captured', 'released')),
  constraint hold_quantity_positive check (quantity > 0),
  constraint hold_settled_when_ended check ((state = 'held') = (settled_at is null))
);
create index holds_open on wallet.holds (account_id, asset) where state = 'held';
create trigger holds_touch before update on wallet.holds for each row execute function core.touch();

create function wallet.hold_ends_once() returns trigger
language plpgsql as $$
begin
  if old.state <> 'held' and (new.state, new.quantity) is distinct from (old.state, old.quantity) then
    raise exception 'a % hold cannot become %', old.state, new.state
      using errcode = 'check_violation', constraint = 'hold_ends_once';
  end if;
  return new;
end
$$;
create trigger hold_ends_once before update on wallet.holds for each row execute function wallet.hold_ends_once();

create table wallet.entries (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  position bigint generated always as identity,
  asset wallet.asset not null,
  kind text not null,
  quantity bigint not null,
  balance_after bigint not null,
  grant_id uuid not null,
  hold_id uuid,
  idempotency_key text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint entry_made_once unique (account_id, idempotency_key),
  constraint entry_belongs_to_grant foreign key (account_id, grant_id) references wallet.grants (account_id, id),
  constraint entry_belongs_to_hold foreign key (account_id, hold_id) references wallet.holds (account_id, id),
  constraint entry_kind_known check (kind in ('grant', 'hold', 'release', 'expiry', 'revocation')),
  constraint entry_sign_fits_kind check ((kind in ('grant', 'release')) = (quantity > 0) and quantity <> 0),
  constraint entry_balance_not_negative check (balance_after >= 0)
);
-- A page of any filter reads this index from the newest on, asset by asset and kind by kind.
create index entries_in_order on wallet.entries (account_id, asset, kind, position);
create index entries_by_hold on wallet.entries (account_id, hold_id) where hold_id is not null;
create trigger entries_append_only before update or delete on wallet.entries
  for each row execute function core.refuse_change();

-- Add credits once for each key. Returns the grant's id, also on a replay.
create function wallet.give(
  p_account uuid, p_asset text, p_quantity bigint, p_source text, p_key text,
  p_expires_at timestamptz default null, p_note text default null
) returns uuid
language plpgsql as $$
declare
  v_grant uuid := core.new_id();
  v_balance bigint;
begin
  insert into wallet.wallets (account_id, asset) values (p_account, p_asset) on conflict do nothing;
  perform 1 from wallet.wallets where account_id = p_account and asset = p_asset for update;
  insert into wallet.grants (account_id, id, asset, source, quantity, remaining, expires_at, key, note)
  values (p_account, v_grant, p_asset, p_source, p_quantity, p_quantity, p_expires_at, p_key, p_note)
  on conflict on constraint grant_made_once do nothing;
  if not found then
    select id into strict v_grant from wallet.grants where account_id = p_account and key = p_key;
    return v_grant;
  end if;
  update wallet.wallets
     set balance = balance + p_quantity, lifetime_granted = lifetime_granted + p_quantity
   where account_id = p_account and asset = p_asset
  returning balance into v_balance;
  insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, idempotency_key)
  values (p_account, p_asset, 'grant', p_quantity, v_balance, v_grant, 'grant:' || v_grant);
  return v_grant;
end
$$;

-- Take what has expired out of one wallet. Returns how much that was.
create function wallet.expire(p_account uuid, p_asset text) returns bigint
language plpgsql as $$
declare
  v_grant record;
  v_balance bigint;
  v_taken bigint := 0;
begin
  perform 1 from wallet.wallets where account_id = p_account and asset = p_asset for update;
  for v_grant in
    select id, remaining from wallet.grants
     where account_id = p_account and asset = p_asset and remaining > 0 and expires_at <= now()
     order by expires_at, id
  loop
    update wallet.grants set remaining = 0 where account_id = p_account and id = v_grant.id;
    update wallet.wallets set balance = balance - v_grant.remaining
     where account_id = p_account and asset = p_asset returning balance into v_balance;
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, idempotency_key)
    values (p_account, p_asset, 'expiry', -v_grant.remaining, v_balance, v_grant.id, 'expiry:' || core.new_id());
    v_taken := v_taken + v_grant.remaining;
  end loop;
  return v_taken;
end
$$;

-- Set credits aside for many at once, soonest-expiring first. For each, in the order given: the hold's id (the
-- first one's when its key was used before), or null when there are not enough or the wallet is frozen. Deciding and taking are one step
-- under the wallet's row lock, and the locks are taken in one order; rows that are only added are added at the end,
-- by one statement a table. The keys of one account must differ from each other.
create function wallet.hold_all(p_accounts uuid[], p_assets text[], p_quantities bigint[], p_keys text[], p_holds uuid[])
returns uuid[]
language plpgsql
-- Planning for each batch would cost more than running it.
set plan_cache_mode = force_generic_plan as $$
declare
  v_answers uuid[] := array_fill(null::uuid, array[cardinality(p_accounts)]);
  v_item record;
  v_grant record;
  v_hold uuid;
  v_balance bigint;
  v_left bigint;
  v_part bigint;
  v_row wallet.holds;
  v_rows wallet.holds[] := '{}';
  v_entry wallet.entries;
  v_entries wallet.entries[] := '{}';
begin
  for v_item in
    select * from unnest(p_accounts, p_assets, p_quantities, p_keys, p_holds)
             with ordinality as i (account_id, asset, quantity, key, hold_id, position)
     order by account_id, asset, position
  loop
    select case when not frozen then balance end into v_balance from wallet.wallets
     where account_id = v_item.account_id and asset = v_item.asset for update;
    select id into v_hold from wallet.holds where account_id = v_item.account_id and key = v_item.key;
    if v_hold is not null then
      v_answers[v_item.position] := v_hold;
      continue;
    end if;
    if exists (select from wallet.grants
                where account_id = v_item.account_id and asset = v_item.asset and remaining > 0 and expires_at <= now()) then
      v_balance := v_balance - wallet.expire(v_item.account_id, v_item.asset);
    end if;
    if v_balance is null or v_balance < v_item.quantity then
      continue;
    end if;
    v_answers[v_item.position] := v_item.hold_id;
    v_left := v_item.quantity;
    for v_grant in
      select id, remaining from wallet.grants
       where account_id = v_item.account_id and asset = v_item.asset and remaining > 0
       order by expires_at, id
    loop
      v_part := least(v_left, v_grant.remaining);
      v_left := v_left - v_part;
      v_balance := v_balance - v_part;
      update wallet.grants set remaining = remaining - v_part where account_id = v_item.account_id and id = v_grant.id;
      v_entry.account_id := v_item.account_id;
      v_entry.asset := v_item.asset;
      v_entry.quantity := -v_part;
      v_entry.balance_after := v_balance;
      v_entry.grant_id := v_grant.id;
      v_entry.hold_id := v_item.hold_id;
      v_entries := v_entries || v_entry;
      exit when v_left = 0;
    end loop;
    update wallet.wallets set balance = balance - v_item.quantity, held = held + v_item.quantity
     where account_id = v_item.account_id and asset = v_item.asset;
    v_row.account_id := v_item.account_id;
    v_row.id := v_item.hold_id;
    v_row.asset := v_item.asset;
    v_row.quantity := v_item.quantity;
    v_row.key := v_item.key;
    v_rows := v_rows || v_row;
  end loop;

  if cardinality(v_rows) > 0 then
    insert into wallet.holds (account_id, id, asset, quantity, key)
    select account_id, id, asset, quantity, key from unnest(v_rows);
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, hold_id, idempotency_key)
    select account_id, asset, 'hold', quantity, balance_after, grant_id, hold_id, 'hold:' || hold_id || ':' || grant_id
      from unnest(v_entries);
  end if;
  return v_answers;
end
$$;

-- One hold: its id, or null when there are not enough.
create function wallet.hold(p_account uuid, p_asset text, p_quantity bigint, p_key text, p_hold uuid default core.new_id())
returns uuid
language sql as $$
  select (wallet.hold_all(array[p_account], array[p_asset], array[p_quantity], array[p_key], array[p_hold]))[1]
$$;

-- The hold is spent. False if it had already ended.
create function wallet.capture(p_account uuid, p_hold uuid) returns boolean
language plpgsql as $$
declare
  v_hold wallet.holds;
begin
  -- The wallet first: the same order of locks as hold, give and release.
  perform 1 from wallet.wallets w
    join wallet.holds h on h.account_id = w.account_id and h.asset = w.asset
   where h.account_id = p_account and h.id = p_hold
     for update of w;
  update wallet.holds set state = 'captured', settled_at = now()
   where account_id = p_account and id = p_hold and state = 'held'
  returning * into v_hold;
  if not found then
    return false;
  end if;
  update wallet.wallets set held = held - v_hold.quantity, lifetime_used = lifetime_used + v_hold.quantity
   where account_id = p_account and asset = v_hold.asset;
  return true;
end
$$;

-- The hold's credits go back to the grants that they came from. False if it had already ended.
-- A grant that expired meanwhile lives one day more, once, so that a failure costs nobody their credits.
create function wallet.release(p_account uuid, p_hold uuid, p_reason text) returns boolean
language plpgsql as $$
declare
  v_hold wallet.holds;
  v_entry record;
  v_balance bigint;
begin
  -- The wallet first: the same order of locks as hold, give and capture.
  perform 1 from wallet.wallets w
    join wallet.holds h on h.account_id = w.account_id and h.asset = w.asset
   where h.account_id = p_account and h.id = p_hold
     for update of w;
  update wallet.holds set state = 'released', settled_at = now(), reason = p_reason
   where account_id = p_account and id = p_hold and state = 'held'
  returning * into v_hold;
  if not found then
    return false;
  end if;
  update wallet.wallets set balance = balance + v_hold.quantity, held = held - v_hold.quantity
   where account_id = p_account and asset = v_hold.asset
  returning balance - v_hold.quantity into v_balance;
  for v_entry in
    select grant_id, quantity from wallet.entries
     where account_id = p_account and hold_id = p_hold and kind = 'hold' order by position
  loop
    v_balance := v_balance - v_entry.quantity;
    update wallet.grants
       set remaining = remaining - v_entry.quantity,
           expires_at = case when extended_at is null and expires_at <= now() then now() + interval '1 day' else expires_at end,
           extended_at = case when extended_at is null and expires_at <= now() then now() else extended_at end
     where account_id = p_account and id = v_entry.grant_id;
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, hold_id, idempotency_key)
    values (p_account, v_hold.asset, 'release', -v_entry.quantity, v_balance, v_entry.grant_id, p_hold,
            'release:' || p_hold || ':' || v_entry.grant_id);
  end loop;
  return true;
end
$$;

insert into core.settings (key, value, description)
values ('wallet.welcome_tokens', '20', 'Tokens that a new account gets once.');
