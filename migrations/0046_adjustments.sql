-- Credits that an operator gives to an account or takes from it, with a reason.
create table wallet.adjustments (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  asset wallet.asset not null,
  quantity bigint not null,
  reason text,
  author_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint adjustment_made_once primary key (account_id, id),
  constraint adjustment_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint adjustment_quantity_not_zero check (quantity <> 0),
  constraint adjustment_reason_length check (char_length(reason) between 1 and 400)
);
comment on column wallet.adjustments.quantity is 'Above zero: given, below zero: taken';
comment on column wallet.adjustments.reason is 'Null once the account is erased';
comment on column wallet.adjustments.author_id is 'The operator; null for the command line';
create trigger adjustments_touch before update on wallet.adjustments for each row execute function core.touch();

alter table wallet.entries
  add column adjustment_id uuid,
  -- squawk-ignore ban-drop-constraint
  drop constraint entry_kind_known,
  -- squawk-ignore ban-drop-constraint
  drop constraint entry_sign_fits_kind,
  add constraint entry_kind_known
    check (kind in ('grant', 'hold', 'release', 'expiry', 'revocation', 'adjustment')) not valid,
  add constraint entry_sign_fits_kind
    check (quantity <> 0 and (kind = 'adjustment' or (kind in ('grant', 'release')) = (quantity > 0))) not valid,
  add constraint entry_of_an_adjustment check ((kind = 'adjustment') = (adjustment_id is not null)) not valid,
  add constraint entry_belongs_to_adjustment foreign key (account_id, adjustment_id)
    references wallet.adjustments (account_id, id) not valid;
alter table wallet.grants
  -- squawk-ignore ban-drop-constraint
  drop constraint grant_source_known,
  add constraint grant_source_known
    check (source in ('free', 'plan', 'purchase', 'refund', 'gift', 'adjustment')) not valid;

-- Give (above zero) or take (below zero) credits, soonest-expiring first. True if done, also by an earlier call with this id;
-- false where the balance is smaller than what is to be taken: nothing is taken then.
create function wallet.adjust(p_account uuid, p_id uuid, p_asset text, p_quantity bigint, p_reason text, p_author uuid)
returns boolean
language plpgsql as $$
declare
  v_grant record;
  v_given uuid := core.new_id();
  v_left bigint := -p_quantity;
  v_part bigint;
  v_balance bigint;
begin
  insert into wallet.wallets (account_id, asset) values (p_account, p_asset) on conflict do nothing;
  perform wallet.expire(p_account, p_asset);    -- locks the wallet
  if exists (select from wallet.adjustments where account_id = p_account and id = p_id) then
    return true;
  end if;
  select balance into v_balance from wallet.wallets where account_id = p_account and asset = p_asset;
  if v_balance < v_left then
    return false;
  end if;
  insert into wallet.adjustments (account_id, id, asset, quantity, reason, author_id)
  values (p_account, p_id, p_asset, p_quantity, p_reason, p_author);
  update wallet.wallets
     set balance = balance + p_quantity, lifetime_granted = lifetime_granted + greatest(p_quantity, 0)
   where account_id = p_account and asset = p_asset;
  if p_quantity > 0 then
    insert into wallet.grants (account_id, id, asset, source, quantity, remaining, key)
    values (p_account, v_given, p_asset, 'adjustment', p_quantity, p_quantity, 'adjustment:' || p_id);
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, adjustment_id, idempotency_key)
    values (p_account, p_asset, 'adjustment', p_quantity, v_balance + p_quantity, v_given, p_id, 'adjustment:' || p_id);
  end if;
  for v_grant in
    select id, remaining from wallet.grants
     where account_id = p_account and asset = p_asset and remaining > 0 and v_left > 0
     order by expires_at, id
  loop
    exit when v_left <= 0;
    v_part := least(v_left, v_grant.remaining);
    v_left := v_left - v_part;
    v_balance := v_balance - v_part;
    update wallet.grants set remaining = remaining - v_part where account_id = p_account and id = v_grant.id;
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, adjustment_id, idempotency_key)
    values (p_account, p_asset, 'adjustment', -v_part, v_balance, v_grant.id, p_id, 'adjustment:' || p_id || ':' || v_grant.id);
  end loop;
  perform core.audit(p_account, case when p_quantity > 0 then 'credits_given' else 'credits_taken' end, 'adjustment', p_id::text,
                     jsonb_build_object('asset', p_asset, 'quantity', abs(p_quantity)), jsonb_build_object('why', p_reason));
  perform core.enqueue('wallet.notify_adjustment', jsonb_build_object('account', p_account, 'adjustment', p_id), 'core');
  return true;
end
$$;
