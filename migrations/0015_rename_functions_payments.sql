-- Functions of payments, under the new names of what they use.

-- Settle a payment whose money has come: complete it and grant what it bought, once, however often it is reported. True the
-- first time.
create or replace function payments.settle(p_account uuid, p_payment uuid, p_reference text, p_card_mask text) returns boolean
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
    v_grant := wallet.grant_credits(p_account, v_payment.asset, v_payment.quantity, 'purchase', 'payment:' || p_payment, null,
                           v_payment.description);
  elsif v_payment.kind = 'plan' then
    perform wallet.apply_paid_period(p_account, v_payment.plan_id, 'payment:' || p_payment, v_payment.amount, v_payment.currency,
                              v_payment.credit, v_payment.credit_period);
    v_before := wallet.set_renewal(p_account, case when p_reference like 'sub\_%' then v_payment.gateway end,
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

create or replace function payments.audit_payment() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform core.audit(new.account_id, 'payment_started', 'payment', new.id::text,
                       jsonb_build_object('gateway', new.gateway, 'amount', new.amount, 'currency', new.currency),
                       p_otherwise => accounts.actor_self(new.account_id, null));
  else
    perform core.audit(new.account_id, 'payment_' || new.status, 'payment', new.id::text,
                       jsonb_build_object('gateway', new.gateway, 'amount', new.amount, 'currency', new.currency));
  end if;
  return null;
end
$$;

-- A payment is never deleted and moves along legal transitions only.
create or replace function payments.check_transition() returns trigger
language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'payments are kept' using errcode = 'check_violation', constraint = 'payment_is_kept';
  end if;
  if new.status <> old.status and not (old.status, new.status) in (
    ('pending', 'completed'), ('pending', 'failed'), ('pending', 'cancelled'), ('pending', 'expired'),
    -- The gateway decides: money that comes in after the payment was closed is still money.
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

create or replace function payments.check_refund_transition() returns trigger
language plpgsql as $$
begin
  if payments.refund_rank(new.status) < payments.refund_rank(old.status) then
    raise exception 'a % refund cannot become %', old.status, new.status
      using errcode = 'check_violation', constraint = 'refund_moves_legally';
  end if;
  return new;
end
$$;

-- Bring a payment's state and its credits into line with the money that went back: what its refunds and disputes say now,
-- whatever the order in which they were reported. Money that went back had come, so an open payment is settled first. For a part
-- of the money the credits are rounded down; for all of it all are revoked. True if that changed anything.
create or replace function payments.reconcile(p_account uuid, p_payment uuid, p_kind text, p_ref text) returns boolean
language plpgsql as $$
declare
  v payments.payments;
  v_id uuid := core.new_id();
  v_refunded bigint;
  v_disputed bigint;
  v_open boolean;
  v_status text;
  v_taken bigint;
  v_short bigint;
  v_change bigint := 0;
begin
  select * into strict v from payments.payments where account_id = p_account and id = p_payment for update;
  select least(v.amount, greatest(
           coalesce(sum(amount) filter (where status in ('pending', 'requires_action', 'succeeded')), 0),
           v.gateway_refunded_total - coalesce(sum(amount) filter (where status in ('failed', 'canceled') and ref is not null), 0)))
    into v_refunded from payments.refunds where account_id = p_account and payment_id = p_payment;
  select least(v.amount - v_refunded, coalesce(sum(amount) filter (where status not in ('won', 'prevented')), 0)),
         coalesce(bool_or(ended_at is null), false)
    into v_disputed, v_open from payments.disputes
   where account_id = p_account and payment_id = p_payment and status not like 'warning%';
  if v.paid_at is null and v_refunded + v_disputed > 0 then
    perform payments.settle(p_account, p_payment, v.reference, v.card_mask);
    select * into strict v from payments.payments where account_id = p_account and id = p_payment;
  end if;
  if v.paid_at is null then
    return false;
  end if;
  v_status := case when v_refunded >= v.amount then 'refunded' when v_open then 'disputed'
                   when v_refunded + v_disputed >= v.amount then 'refunded' else 'completed' end;
  if (v_refunded, v_disputed, v_status) = (v.refunded, v.disputed, v.status) then
    return false;
  end if;

  select coalesce(sum(taken), 0), coalesce(sum(shortfall), 0) into v_taken, v_short from payments.reversals
   where account_id = p_account and payment_id = p_payment;
  if v.grant_id is not null then
    v_change := floor(v.quantity * (v_refunded + v_disputed)::numeric / v.amount)::bigint - v_taken - v_short;
  end if;
  if v_change > 0 then
    v_taken := wallet.revoke(p_account, v.grant_id, v_change, v_id::text);
    v_short := v_change - v_taken;
  else
    -- What had been spent is forgiven first; the rest comes back.
    v_short := -least(v_short, -v_change);
    v_taken := v_change - v_short;
    if v_taken < 0 then
      perform wallet.grant_credits(p_account, v.asset, -v_taken, 'refund', 'reversal:' || v_id, null,
        case p_kind when 'dispute' then 'The dispute was decided for you' else 'The refund did not go through' end);
    end if;
  end if;
  if (v_refunded + v_disputed, v_change) <> (v.refunded + v.disputed, 0) then
    insert into payments.reversals (account_id, id, payment_id, kind, ref, amount, taken, shortfall)
    values (p_account, v_id, p_payment, p_kind, p_ref, v_refunded + v_disputed - v.refunded - v.disputed, v_taken, v_short);
  end if;
  if v.kind = 'plan' and v_status = 'refunded' then
    perform wallet.revoke_paid_period(p_account, 'payment:' || p_payment);
  elsif v.kind = 'plan' and v.status = 'refunded' then
    perform wallet.apply_paid_period(p_account, v.plan_id, 'payment:' || p_payment || ':' || v_id, v.amount, v.currency);
  end if;
  update payments.payments set refunded = v_refunded, disputed = v_disputed, status = v_status
   where account_id = p_account and id = p_payment;
  insert into core.usage (account_id, action, metadata)
  values (p_account, case p_kind when 'refund' then 'payment_refunded' else 'payment_disputed' end,
          jsonb_build_object('payment_id', p_payment, 'status', v_status, 'refunded', v_refunded, 'disputed', v_disputed,
                             'currency', v.currency, 'taken', v_taken, 'shortfall', v_short));
  perform pg_notify('payments', p_account || '/' || p_payment);
  return true;
end
$$;

-- Record the state of a refund: one of ours by `p_id`, one that was made at the gateway by its `p_ref` alone. Older news changes
-- nothing.
create or replace function payments.record_refund(
  p_account uuid, p_payment uuid, p_id uuid, p_ref text, p_amount bigint, p_status text, p_error text
) returns boolean
language plpgsql as $$
declare
  v payments.refunds;
begin
  perform 1 from payments.payments where account_id = p_account and id = p_payment for update;
  select * into v from payments.refunds
   where account_id = p_account and payment_id = p_payment and (ref = p_ref or id = p_id) order by id = p_id desc limit 1;
  if v.id is null then
    insert into payments.refunds (account_id, payment_id, ref, amount, status, error)
    values (p_account, p_payment, p_ref, p_amount, p_status, p_error);
  else
    update payments.refunds
       set ref = coalesce(ref, p_ref), error = p_error, status = p_status
     where account_id = p_account and id = v.id and payments.refund_rank(p_status) >= payments.refund_rank(v.status);
  end if;
  return payments.reconcile(p_account, p_payment, 'refund', coalesce(p_ref, p_id::text));
end
$$;

-- Record what the gateway has paid back of a payment in all, however it was requested.
create or replace function payments.record_refunded_total(p_account uuid, p_payment uuid, p_ref text, p_total bigint) returns boolean
language plpgsql as $$
begin
  update payments.payments set gateway_refunded_total = p_total
   where account_id = p_account and id = p_payment and gateway_refunded_total < p_total;
  return found and payments.reconcile(p_account, p_payment, 'refund', p_ref);
end
$$;

-- Record the state of a dispute. Opening revokes the credits and freezes spending; winning gives them back; when none of the
-- account's is open any more, spending goes on. The end of a dispute is final, whatever older news follows. An inquiry (warning)
-- moves no money.
create or replace function payments.record_dispute(
  p_account uuid, p_payment uuid, p_dispute text, p_amount bigint, p_status text, p_reason text
) returns boolean
language plpgsql as $$
declare
  v_changed boolean;
begin
  perform 1 from payments.payments where account_id = p_account and id = p_payment for update;
  insert into payments.disputes as d (account_id, id, payment_id, amount, status, reason, ended_at)
  values (p_account, p_dispute, p_payment, p_amount, p_status, p_reason,
          case when p_status in ('won', 'lost', 'warning_closed', 'prevented') then now() end)
  on conflict (account_id, id) do update
     set status = excluded.status, reason = excluded.reason, ended_at = excluded.ended_at, amount = excluded.amount
   where d.ended_at is null and d.status <> excluded.status;
  if not found then
    return false;
  end if;
  v_changed := payments.reconcile(p_account, p_payment, 'dispute', p_dispute);
  perform wallet.freeze(p_account, exists (
    select from payments.disputes where account_id = p_account and ended_at is null and status not like 'warning%'));
  return v_changed;
end
$$;

-- Record a month that a subscription has paid for: `p_first` is its first payment. Money that comes in is a payment of its own,
-- under the invoice's name, so that it counts once. False if the invoice is known.
create or replace function payments.renew(
  p_account uuid, p_first uuid, p_plan uuid, p_invoice text, p_subscription text, p_amount bigint, p_currency text,
  p_starts_at timestamptz, p_ends_at timestamptz
) returns boolean
language plpgsql as $$
declare
  v_first payments.payments;
  v_id uuid := core.new_id();
  v_title text;
begin
  select * into strict v_first from payments.payments where account_id = p_account and id = p_first for update;
  if exists (select from payments.gateway_refs where gateway = v_first.gateway and ref = p_invoice) then
    return false;
  end if;
  select display_name || ' plan, one month' into strict v_title from wallet.plans where id = p_plan;
  insert into payments.payments (account_id, id, kind, gateway, plan_id, amount, currency, description, callback_url, return_url,
                                 track_id, expires_at)
  values (p_account, v_id, 'plan', v_first.gateway, p_plan, p_amount, p_currency, v_title, v_first.callback_url, '/plan',
          p_invoice, now() + interval '1 day');
  insert into payments.gateway_refs (gateway, ref, account_id, payment_id) values (v_first.gateway, p_invoice, p_account, v_id);
  -- A renewal proves the first payment, whose own event may not have arrived yet.
  perform payments.settle(p_account, p_first, p_subscription, null);
  perform wallet.apply_paid_period(p_account, p_plan, 'payment:' || v_id, p_amount, p_currency, 0, null, p_starts_at, p_ends_at);
  if not exists (select from wallet.memberships where account_id = p_account and subscription_ref is not null) then
    perform wallet.set_renewal(p_account, v_first.gateway, p_subscription);
  end if;
  update payments.payments set status = 'completed', paid_at = now(), reference = p_invoice
   where account_id = p_account and id = v_id;
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'payment_completed', jsonb_build_object('payment_id', v_id, 'amount', p_amount, 'currency', p_currency,
          'invoice', p_invoice));
  return true;
end
$$;
