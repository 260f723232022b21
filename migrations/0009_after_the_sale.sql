-- Prices in rials, who never came back, and what happens after the sale: refunds, disputes, failed charges.

-- A price in another currency is a pack of its own: the pack that is chosen says currency and price, nothing converts.
insert into wallet.packs (name, title, asset, quantity, price, currency, position) values
  ('tokens_50_irr', 'Sketchbook', 'token', 50, 500000, 'IRR', 11),
  ('tokens_200_irr', 'Studio', 'token', 200, 1500000, 'IRR', 12),
  ('tokens_1000_irr', 'Atelier', 'token', 1000, 6000000, 'IRR', 13),
  ('contacts_1', 'One contact', 'contact', 1, 199, 'USD', 21),
  ('contacts_10', 'Address book', 'contact', 10, 1499, 'USD', 22),
  ('contacts_50', 'Agency', 'contact', 50, 4999, 'USD', 23),
  ('posting_1', 'A posting', 'posting', 1, 500, 'USD', 31);

-- When the gateway was last asked without anybody waiting.
alter table payments.payments add column asked_at timestamptz;

-- Spending stops while money is disputed. A frozen wallet may be given to and taken back from; nothing can be set aside.
alter table wallet.wallets add column frozen boolean not null default false;
create function wallet.refuse_frozen() returns trigger
language plpgsql as $$
begin
  raise exception 'this wallet is frozen' using errcode = 'check_violation', constraint = 'wallet_not_frozen';
end
$$;
create trigger wallet_not_frozen before update of held on wallet.wallets
  for each row when (old.frozen and new.held > old.held) execute function wallet.refuse_frozen();

-- Freeze an account's spending or let it go on. Wallets that are not there yet are made first, so that none stays open.
create function wallet.freeze(p_account uuid, p_frozen boolean) returns void
language plpgsql as $$
begin
  if p_frozen then
    insert into wallet.wallets (account_id, asset)
    select p_account, asset from unnest(array['token', 'conversion', 'image_slot', 'contact', 'posting']) asset
    on conflict do nothing;
  end if;
  perform 1 from wallet.wallets where account_id = p_account order by asset for update;
  update wallet.wallets set frozen = p_frozen where account_id = p_account and frozen <> p_frozen;
end
$$;

-- Take credits back: what is left of this grant first, then of any other of its asset, down to zero. Returns how many were
-- taken; what was spent already is the caller's to note. What is set aside stays with its hold.
create function wallet.revoke(p_account uuid, p_grant uuid, p_quantity bigint, p_key text) returns bigint
language plpgsql as $$
declare
  v_asset text;
  v_grant record;
  v_part bigint;
  v_left bigint := p_quantity;
  v_balance bigint;
begin
  select asset into strict v_asset from wallet.grants where account_id = p_account and id = p_grant;
  perform 1 from wallet.wallets where account_id = p_account and asset = v_asset for update;
  for v_grant in
    select id, remaining from wallet.grants
     where account_id = p_account and asset = v_asset and remaining > 0
     order by id <> p_grant, expires_at, id
  loop
    exit when v_left <= 0;
    v_part := least(v_left, v_grant.remaining);
    v_left := v_left - v_part;
    update wallet.grants set remaining = remaining - v_part where account_id = p_account and id = v_grant.id;
    update wallet.wallets set balance = balance - v_part
     where account_id = p_account and asset = v_asset returning balance into v_balance;
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, idempotency_key)
    values (p_account, v_asset, 'revocation', -v_part, v_balance, v_grant.id, 'revocation:' || p_key || ':' || v_grant.id);
  end loop;
  return p_quantity - greatest(v_left, 0);
end
$$;

-- A gateway's name for an account: Stripe's customer.
create table payments.customers (
  account_id uuid not null,
  gateway text not null,
  ref text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, gateway),
  constraint customer_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint customer_is_one_account unique (gateway, ref)
);

-- What was paid back of a payment so far, in its currency's minor units.
alter table payments.payments add column refunded bigint not null default 0;

-- A payment that the cardholder's bank takes back. `status` is Stripe's word; it ends as won, lost or warning_closed.
create table payments.disputes (
  account_id uuid not null,
  id text not null,
  payment_id uuid not null,
  amount bigint not null,
  status text not null,
  reason text,
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint dispute_is_of_a_payment foreign key (account_id, payment_id) references payments.payments (account_id, id)
);
create index disputes_by_payment on payments.disputes (account_id, payment_id);
create trigger disputes_touch before update on payments.disputes for each row execute function core.touch();

-- Credits that went back with the money: `taken` from the wallet, `shortfall` had been spent. A dispute that is won gives
-- back what it took.
create table payments.reversals (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  payment_id uuid not null,
  kind text not null,
  ref text not null,
  amount bigint not null,
  taken bigint not null,
  shortfall bigint not null,
  restored_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint reversal_is_of_a_payment foreign key (account_id, payment_id) references payments.payments (account_id, id),
  constraint reversal_made_once unique (account_id, payment_id, kind, ref),
  constraint reversal_kind_known check (kind in ('refund', 'dispute')),
  constraint reversal_not_negative check (least(amount, taken, shortfall) >= 0)
);
create trigger reversals_touch before update on payments.reversals for each row execute function core.touch();

-- Charges that failed, with the bank's reason. Kept for ever.
create table payments.failed_transactions (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  payment_id uuid,
  gateway text not null,
  ref text not null,
  amount bigint not null,
  currency text not null,
  code text,
  reason text not null,
  failed_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint failure_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint failure_is_of_a_payment foreign key (account_id, payment_id) references payments.payments (account_id, id),
  constraint failure_told_once unique (account_id, gateway, ref)
);
create index failed_transactions_by_payment on payments.failed_transactions (account_id, payment_id);
create trigger failed_transactions_kept before update or delete on payments.failed_transactions
  for each row execute function core.refuse_change();

-- What became of an event that a gateway told us; its body lies in the gateway's inbox.
create table payments.webhook_events (
  event_id text primary key,
  type text not null,
  outcome text not null,
  attempts integer not null default 1,
  error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint webhook_outcome_known check (outcome in ('applied', 'ignored', 'failed'))
);
create index webhook_events_by_outcome on payments.webhook_events (outcome, created_at);
create trigger webhook_events_touch before update on payments.webhook_events for each row execute function core.touch();

-- Take back the credits for `p_amount` of a payment that is settled and locked, once for each kind and ref.
create function payments.take_back(p_payment payments.payments, p_kind text, p_ref text, p_amount bigint) returns void
language plpgsql as $$
declare
  v_back bigint;
  v_gone bigint;
  v_wanted bigint := 0;
  v_taken bigint := 0;
begin
  if exists (select from payments.reversals
              where account_id = p_payment.account_id and payment_id = p_payment.id and kind = p_kind and ref = p_ref) then
    return;
  end if;
  if p_payment.grant_id is not null then
    -- Of all that has gone back, the part of the credits rounded down; of everything, everything.
    select coalesce(sum(amount), 0), coalesce(sum(taken + shortfall), 0) into v_back, v_gone from payments.reversals
     where account_id = p_payment.account_id and payment_id = p_payment.id and restored_at is null;
    v_wanted := greatest(
      floor(least(p_payment.quantity * (v_back + p_amount)::numeric / p_payment.amount, p_payment.quantity))::bigint - v_gone, 0);
    v_taken := wallet.revoke(p_payment.account_id, p_payment.grant_id, v_wanted,
                             p_kind || ':' || p_payment.id || ':' || p_ref);
  end if;
  insert into payments.reversals (account_id, payment_id, kind, ref, amount, taken, shortfall)
  values (p_payment.account_id, p_payment.id, p_kind, p_ref, p_amount, v_taken, v_wanted - v_taken);
end
$$;

-- The gateway has paid back `p_total` of this payment in all. Whatever comes in whatever order: a refund that is told
-- before the payment settles it first. True if it was news.
create function payments.refund(p_account uuid, p_payment uuid, p_total bigint) returns boolean
language plpgsql as $$
declare
  v_payment payments.payments;
begin
  select * into strict v_payment from payments.payments where account_id = p_account and id = p_payment for update;
  if p_total <= v_payment.refunded then
    return false;
  end if;
  perform payments.settle(p_account, p_payment, v_payment.reference, v_payment.card_mask);
  select * into strict v_payment from payments.payments where account_id = p_account and id = p_payment;
  perform payments.take_back(v_payment, 'refund', p_total::text, least(p_total, v_payment.amount) - v_payment.refunded);
  update payments.payments
     set refunded = least(p_total, amount), status = case when p_total >= amount then 'refunded' else status end
   where account_id = p_account and id = p_payment;
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'payment_refunded', jsonb_build_object('payment_id', p_payment, 'refunded', p_total, 'currency', v_payment.currency));
  perform pg_notify('payments', p_account || '/' || p_payment);
  return true;
end
$$;

-- A dispute stands as told. Opening takes the credits back and freezes spending; winning gives them back; when none of the
-- account's is open any more, spending goes on. An end that was told stays, whatever older news comes later.
create function payments.dispute(
  p_account uuid, p_payment uuid, p_dispute text, p_amount bigint, p_status text, p_reason text
) returns boolean
language plpgsql as $$
declare
  v_payment payments.payments;
  v_old payments.disputes;
  v_ended boolean := p_status in ('won', 'lost', 'warning_closed', 'prevented');
  v_taken bigint;
begin
  select * into strict v_payment from payments.payments where account_id = p_account and id = p_payment for update;
  select * into v_old from payments.disputes where account_id = p_account and id = p_dispute;
  if v_old.ended_at is not null or v_old.status = p_status then
    return false;
  end if;
  insert into payments.disputes (account_id, id, payment_id, amount, status, reason, ended_at)
  values (p_account, p_dispute, p_payment, p_amount, p_status, p_reason, case when v_ended then now() end)
  on conflict (account_id, id) do update
     set status = excluded.status, reason = excluded.reason, ended_at = excluded.ended_at, amount = excluded.amount;
  if p_status like 'warning%' or p_status = 'prevented' then
    return true;  -- an inquiry: no money has moved
  end if;
  perform payments.settle(p_account, p_payment, v_payment.reference, v_payment.card_mask);
  select * into strict v_payment from payments.payments where account_id = p_account and id = p_payment;
  if p_status = 'won' then
    update payments.reversals set restored_at = now()
     where account_id = p_account and payment_id = p_payment and kind = 'dispute' and ref = p_dispute and restored_at is null
    returning taken into v_taken;
    if v_taken > 0 then
      perform wallet.give(p_account, v_payment.asset, v_taken, 'refund', 'dispute:' || p_dispute, null, 'The dispute was decided for you');
    end if;
    update payments.payments set status = 'completed' where account_id = p_account and id = p_payment and status = 'disputed';
  else
    perform payments.take_back(v_payment, 'dispute', p_dispute, p_amount);
    update payments.payments set status = 'disputed' where account_id = p_account and id = p_payment and status = 'completed';
    if p_status = 'lost' then
      update payments.payments set status = 'refunded' where account_id = p_account and id = p_payment and status = 'disputed';
    end if;
  end if;
  perform wallet.freeze(p_account, exists (
    select from payments.disputes where account_id = p_account and ended_at is null and status not like 'warning%'));
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'payment_disputed', jsonb_build_object('payment_id', p_payment, 'dispute', p_dispute, 'status', p_status));
  perform pg_notify('payments', p_account || '/' || p_payment);
  return true;
end
$$;
