-- Money in. Rows are never deleted; a payment moves along legal transitions only and grants once.

create schema payments;

-- Of the amount went back: `refunded` was paid back, `disputed` withdrawn by the cardholder's bank; `refund_told` is the most
-- that the gateway named as paid back in all.
create table payments.payments (
  account_id uuid not null,
  id uuid not null,
  kind text not null,
  status text not null default 'pending',
  gateway text not null,
  pack_id uuid,
  plan_id uuid,
  asset text,
  quantity bigint,
  amount bigint not null,
  currency text not null,
  description text not null,
  checkout_url text,
  callback_url text,
  return_url text,
  track_id text,
  reference text,
  card_mask text,
  failure_reason text,
  grant_id uuid,
  paid_at timestamptz,
  refunded bigint not null default 0,
  refund_told bigint not null default 0,
  disputed bigint not null default 0,
  receipt_number bigint,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint payment_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint payment_is_for_a_pack foreign key (pack_id) references wallet.packs (id),
  constraint payment_is_for_a_plan foreign key (plan_id) references wallet.plans (id),
  constraint payment_granted_once foreign key (account_id, grant_id) references wallet.grants (account_id, id),
  constraint payment_kind_known check (kind in ('tokens', 'contacts', 'posting', 'plan', 'order')),
  constraint payment_status_known check (status in
    ('pending', 'completed', 'failed', 'cancelled', 'expired', 'refunded', 'disputed')),
  constraint payment_gateway_known check (gateway in ('stripe', 'zarinpal', 'sandbox')),
  constraint payment_amount_positive check (amount > 0),
  constraint payment_money_back_in_range check (least(refunded, disputed) >= 0 and refunded + disputed <= amount),
  constraint payment_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
  constraint payment_not_in_toman check (currency not in ('IRT', 'TOM')),
  constraint payment_paid_when_completed check (status not in ('completed', 'refunded', 'disputed') or paid_at is not null)
);
create index payments_by_status on payments.payments (status, expires_at) where status = 'pending';
create index payments_by_pack on payments.payments (pack_id) where pack_id is not null;
create index payments_by_plan on payments.payments (plan_id) where plan_id is not null;
create index payments_by_grant on payments.payments (account_id, grant_id) where grant_id is not null;
create index payments_by_reference on payments.payments (gateway, reference) where reference is not null;
create index payments_by_time on payments.payments (id);
create trigger payments_touch before update on payments.payments for each row execute function core.touch();

create function payments.keep_legal() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'payments are kept' using errcode = 'check_violation', constraint = 'payment_is_kept';
  end if;
  if new.status <> old.status and not (old.status, new.status) in (
    ('pending', 'completed'), ('pending', 'failed'), ('pending', 'cancelled'), ('pending', 'expired'),
    -- The gateway's word counts: money that comes in after we gave up is still money.
    ('expired', 'completed'), ('cancelled', 'completed'), ('failed', 'completed'),
    ('completed', 'refunded'), ('completed', 'disputed'), ('disputed', 'completed'), ('disputed', 'refunded'),
    -- The bank sent a refund back.
    ('refunded', 'completed'), ('refunded', 'disputed')
  ) then
    raise exception 'a % payment cannot become %', old.status, new.status
      using errcode = 'check_violation', constraint = 'payment_moves_legally';
  end if;
  return new;
end
$$;
create trigger payment_moves_legally before update or delete on payments.payments
  for each row execute function payments.keep_legal();

-- The gateway's name for a payment, unique over all accounts.
create table payments.gateway_refs (
  gateway text not null,
  ref text not null,
  account_id uuid not null,
  payment_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (gateway, ref),
  constraint gateway_ref_names_a_payment foreign key (account_id, payment_id) references payments.payments (account_id, id)
);
create index gateway_refs_by_payment on payments.gateway_refs (account_id, payment_id);

-- A payment has come in: complete it and grant, once, however often it is told. True the first time.
create function payments.settle(p_account uuid, p_payment uuid, p_reference text, p_card_mask text) returns boolean
language plpgsql as $$
declare
  v_payment payments.payments;
  v_grant uuid;
  v_before text;
begin
  select * into strict v_payment from payments.payments
   where account_id = p_account and id = p_payment for update;
  if v_payment.status not in ('pending', 'expired', 'cancelled', 'failed') then
    return false;
  end if;
  if v_payment.asset is not null then
    v_grant := wallet.give(p_account, v_payment.asset, v_payment.quantity, 'purchase', 'payment:' || p_payment, null,
                           v_payment.description);
  elsif v_payment.kind = 'plan' then
    perform wallet.pay_period(p_account, v_payment.plan_id, 'payment:' || p_payment, v_payment.amount, v_payment.currency,
                              v_payment.credit, v_payment.credit_period);
    v_before := wallet.renew_by(p_account, case when p_reference like 'sub\_%' then v_payment.gateway end,
                                case when p_reference like 'sub\_%' then p_reference end);
    if v_before is not null then
      perform core.enqueue('payments.end_subscription', jsonb_build_object('ref', v_before), 'payments');
    end if;
  end if;
  update payments.payments
     set status = 'completed', paid_at = now(), reference = p_reference, card_mask = p_card_mask,
         failure_reason = null, grant_id = v_grant
   where account_id = p_account and id = p_payment;
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'payment_completed', jsonb_build_object('payment_id', p_payment, 'amount', v_payment.amount,
          'currency', v_payment.currency, 'asset', v_payment.asset, 'quantity', v_payment.quantity));
  perform pg_notify('payments', p_account || '/' || p_payment);
  return true;
end
$$;

-- Nothing came in: the payment ends as failed, cancelled or expired. True the first time; never after money has come.
create function payments.give_up(p_account uuid, p_payment uuid, p_status text, p_reason text) returns boolean
language plpgsql as $$
begin
  update payments.payments set status = p_status, failure_reason = p_reason
   where account_id = p_account and id = p_payment and status = 'pending';
  if not found then
    return false;
  end if;
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'payment_' || p_status, jsonb_build_object('payment_id', p_payment, 'reason', p_reason));
  perform pg_notify('payments', p_account || '/' || p_payment);
  return true;
end
$$;
