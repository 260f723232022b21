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

-- A receipt's number belongs to the payment from the moment that the money has come.
create sequence payments.receipt_numbers;
create function payments.number_receipt() returns trigger
language plpgsql as $$
begin
  new.receipt_number := nextval('payments.receipt_numbers');
  return new;
end
$$;
create trigger payment_gets_a_receipt before update of paid_at on payments.payments
  for each row when (old.paid_at is null and new.paid_at is not null) execute function payments.number_receipt();

insert into core.settings (key, value, description) values
  ('payments.seller_name', '"Vetrina"', 'Who sells, as receipts say it.'),
  ('payments.seller_address', '""', 'The seller''s address on receipts; a semicolon begins another line.'),
  ('payments.seller_tax_number', '""', 'The seller''s tax number on receipts.');

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

-- Money that is paid back. `ref` is the gateway's name for it, missing until the gateway has taken it. A state only goes on:
-- asked, pending, succeeded; then it may still fail or be canceled, and the money has not left.
create table payments.refunds (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  payment_id uuid not null,
  ref text,
  amount bigint not null,
  status text not null default 'asked',
  reason text,
  error text,
  asked_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint refund_is_of_a_payment foreign key (account_id, payment_id) references payments.payments (account_id, id),
  constraint refund_told_once unique (account_id, ref),
  constraint refund_amount_positive check (amount > 0),
  constraint refund_status_known check (status in ('asked', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled'))
);
create index refunds_by_payment on payments.refunds (account_id, payment_id);
create trigger refunds_touch before update on payments.refunds for each row execute function core.touch();

create function payments.refund_step(p_status text) returns integer language sql immutable parallel safe as $$
  select case p_status when 'asked' then 0 when 'succeeded' then 2 when 'failed' then 3 when 'canceled' then 3 else 1 end
$$;
create function payments.keep_refund_legal() returns trigger
language plpgsql as $$
begin
  if payments.refund_step(new.status) < payments.refund_step(old.status) then
    raise exception 'a % refund cannot become %', old.status, new.status
      using errcode = 'check_violation', constraint = 'refund_moves_legally';
  end if;
  return new;
end
$$;
create trigger refund_moves_legally before update of status on payments.refunds
  for each row execute function payments.keep_refund_legal();

-- A payment that the cardholder's bank takes back. `status` is Stripe's word; once it has ended it stays as it is.
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
create function payments.keep_dispute_ended() returns trigger
language plpgsql as $$
begin
  raise exception 'a dispute that was % stays so', old.status
    using errcode = 'check_violation', constraint = 'dispute_ends_once';
end
$$;
create trigger dispute_ends_once before update of status on payments.disputes
  for each row when (old.ended_at is not null and new.status <> old.status) execute function payments.keep_dispute_ended();

-- Credits that went back with the money, or came again with it: signed, `amount` of money, credits `taken` from the wallet,
-- `shortfall` that had been spent. Their sums say where a payment stands.
create table payments.reversals (
  account_id uuid not null,
  id uuid not null default core.new_id(),
  payment_id uuid not null,
  kind text not null,
  ref text not null,
  amount bigint not null,
  taken bigint not null,
  shortfall bigint not null,
  created_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint reversal_is_of_a_payment foreign key (account_id, payment_id) references payments.payments (account_id, id),
  constraint reversal_kind_known check (kind in ('refund', 'dispute'))
);
create index reversals_by_payment on payments.reversals (account_id, payment_id);
create trigger reversals_append_only before update or delete on payments.reversals
  for each row execute function core.refuse_change();

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
create trigger failed_transactions_append_only before update or delete on payments.failed_transactions
  for each row execute function core.refuse_change();

-- What became of an event that a gateway told us; its body lies in the gateway's inbox. `attempts` counts all, `tries` those
-- since it was last asked for. One that failed is tried again at `next_at`; after the last try it is dead until it is replayed.
create table payments.webhook_events (
  event_id text primary key,
  type text not null,
  outcome text not null,
  attempts integer not null default 1,
  tries integer not null default 1,
  next_at timestamptz,
  error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint webhook_outcome_known check (outcome in ('applied', 'ignored', 'failed', 'dead')),
  constraint webhook_tried_again_when_failed check ((outcome = 'failed') = (next_at is not null))
);
create index webhook_events_by_outcome on payments.webhook_events (outcome, created_at);
create index webhook_events_due on payments.webhook_events (next_at) where outcome = 'failed';
create trigger webhook_events_touch before update on payments.webhook_events for each row execute function core.touch();
