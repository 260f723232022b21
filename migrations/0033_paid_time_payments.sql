-- Payments of plans: what no longer fits pays itself back (decision 24).
alter table payments.refunds add column is_automatic boolean not null default false;
comment on column payments.refunds.is_automatic is 'Asked for by the payment itself, which no longer fitted the plan when it came in';

-- Give the month of a payment that could not be refunded after all.
create function payments.keep_surplus(p_account uuid, p_payment uuid) returns void
language plpgsql as $$
declare
  v payments.payments;
begin
  select * into strict v from payments.payments where account_id = p_account and id = p_payment;
  perform wallet.apply_paid_period(p_account, v.plan_id, 'payment:' || p_payment, v.amount, v.currency, v.credit, v.credit_period,
                                   p_force => true);
end
$$;

-- Ask for the refund of a payment that no longer fits the account's plan, and for a notice to its buyer.
create function payments.refund_surplus(p payments.payments) returns void
language plpgsql as $$
declare
  v_id uuid := core.new_id();
begin
  insert into payments.refunds (account_id, id, payment_id, amount, reason, is_automatic)
  values (p.account_id, v_id, p.id, p.amount, 'The plan had changed when this payment came in.', true);
  perform core.audit(p.account_id, 'refund_asked', 'payment', p.id::text,
                     jsonb_build_object('refund_id', v_id, 'amount', p.amount, 'currency', p.currency, 'automatic', true));
  perform core.enqueue('payments.refund', jsonb_build_object('account', p.account_id, 'refund', v_id), 'payments');
  perform core.enqueue('payments.notify_surplus', jsonb_build_object('account', p.account_id, 'payment', p.id), 'payments');
end
$$;

-- Give the month of a plan's payment that came in, and end the subscription that it replaces.
create function payments.settle_plan(p payments.payments, p_reference text) returns void
language plpgsql as $$
declare
  v_sub text := case when p_reference like 'sub\_%' then p_reference end;
  v_fit text;
  v_before text;
begin
  v_fit := wallet.apply_paid_period(p.account_id, p.plan_id, 'payment:' || p.id, p.amount, p.currency, p.credit, p.credit_period,
                                    v_sub);
  if v_fit = 'surplus' then
    perform payments.refund_surplus(p);
  elsif v_fit = 'credited' then
    perform core.enqueue('payments.end_subscription', jsonb_build_object('ref', v_sub), 'payments');
  elsif v_fit in ('starts', 'upgrade', 'replaces') or v_sub is not null then
    v_before := wallet.set_renewal(p.account_id, case when v_sub is not null then p.gateway end, v_sub);
    if v_before is not null then
      -- What was left of its month is the gateway's to credit, unless it was taken off this price.
      perform core.enqueue('payments.end_subscription', jsonb_build_object('ref', v_before, 'prorate', p.credit = 0), 'payments');
    end if;
  end if;
end
$$;

create or replace function payments.settle(p_account uuid, p_payment uuid, p_reference text, p_card_mask text) returns boolean
language plpgsql as $$
declare
  v_payment payments.payments;
  v_grant uuid;
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
    perform payments.settle_plan(v_payment, p_reference);
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

create or replace function payments.renew(
  p_account uuid, p_first uuid, p_plan uuid, p_invoice text, p_subscription text, p_amount bigint, p_credit bigint,
  p_currency text, p_starts_at timestamptz, p_ends_at timestamptz
) returns boolean
language plpgsql as $$
declare
  v_first payments.payments;
  v_id uuid := core.new_id();
  v_title text;
  v_given boolean;
begin
  select * into strict v_first from payments.payments where account_id = p_account and id = p_first for update;
  if exists (select from payments.gateway_refs where gateway = v_first.gateway and ref = p_invoice) then
    return false;
  end if;
  if p_amount > 0 then
    select display_name || ' plan, one month' into strict v_title from wallet.plans where id = p_plan;
    insert into payments.payments (account_id, id, kind, gateway, plan_id, amount, currency, description, callback_url, return_url,
                                   track_id, expires_at)
    values (p_account, v_id, 'plan', v_first.gateway, p_plan, p_amount, p_currency, v_title, v_first.callback_url, '/plan',
            p_invoice, now() + interval '1 day');
    insert into payments.gateway_refs (gateway, ref, account_id, payment_id) values (v_first.gateway, p_invoice, p_account, v_id);
  end if;
  -- A renewal proves the first payment, whose own event may not have arrived yet.
  perform payments.settle(p_account, p_first, p_subscription, null);
  v_given := wallet.apply_renewal(p_account, p_plan, case when p_amount > 0 then 'payment:' || v_id else 'invoice:' || p_invoice end,
                                  p_amount, p_amount + p_credit, p_currency, p_subscription, p_starts_at, p_ends_at);
  -- A subscription that had lapsed renews again, but not one that was replaced.
  if exists (select from wallet.memberships m join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
              where m.account_id = p_account and m.subscription_ref is null and p.subscription_ref = p_subscription) then
    perform wallet.set_renewal(p_account, v_first.gateway, p_subscription);
  end if;
  if p_amount > 0 then
    update payments.payments set status = 'completed', paid_at = now(), reference = p_invoice
     where account_id = p_account and id = v_id;
  end if;
  if v_given then
    insert into core.usage (account_id, action, metadata)
    values (p_account, 'payment_completed', jsonb_strip_nulls(jsonb_build_object(
            'payment_id', case when p_amount > 0 then v_id end, 'amount', p_amount, 'currency', p_currency, 'invoice', p_invoice)));
  end if;
  return v_given;
end
$$;

create or replace function payments.reconcile(p_account uuid, p_payment uuid, p_kind text, p_ref text) returns boolean
language plpgsql as $$
declare
  v payments.payments;
  v_id uuid := core.new_id();
  v_back record;
  v_status text;
  v_change bigint := 0;
  v_moved record;
begin
  select * into strict v from payments.payments where account_id = p_account and id = p_payment for update;
  select * into v_back from payments.money_back(v);
  if v.paid_at is null and v_back.refunded + v_back.disputed > 0 then
    perform payments.settle(p_account, p_payment, v.reference, v.card_mask);
    select * into strict v from payments.payments where account_id = p_account and id = p_payment;
  end if;
  if v.paid_at is null then
    return false;
  end if;
  v_status := case when v_back.refunded >= v.amount then 'refunded' when v_back.undecided then 'disputed'
                   when v_back.refunded + v_back.disputed >= v.amount then 'refunded' else 'completed' end;
  if (v_back.refunded, v_back.disputed, v_status) = (v.refunded, v.disputed, v.status) then
    return false;
  end if;

  if v.grant_id is not null then
    v_change := floor(v.quantity * (v_back.refunded + v_back.disputed)::numeric / v.amount)::bigint - (
      select coalesce(sum(taken + shortfall), 0) from payments.reversals where account_id = p_account and payment_id = p_payment);
  end if;
  select * into v_moved from payments.move_credits(v, v_change, v_id, p_kind);
  if (v_back.refunded + v_back.disputed, v_change) <> (v.refunded + v.disputed, 0) then
    insert into payments.reversals (account_id, id, payment_id, kind, ref, amount, taken, shortfall)
    values (p_account, v_id, p_payment, p_kind, p_ref, v_back.refunded + v_back.disputed - v.refunded - v.disputed,
            v_moved.taken, v_moved.shortfall);
  end if;
  if v.kind = 'plan' and v_status = 'refunded' then
    perform wallet.revoke_paid_period(p_account, 'payment:' || p_payment);
  elsif v.kind = 'plan' and v.status = 'refunded' then
    perform wallet.restore_paid_period(p_account, v.plan_id, 'payment:' || p_payment, 'payment:' || p_payment || ':' || v_id,
                                       v.amount, v.currency, v.credit, v.credit_period);
  end if;
  update payments.payments set refunded = v_back.refunded, disputed = v_back.disputed, status = v_status
   where account_id = p_account and id = p_payment;
  insert into core.usage (account_id, action, metadata)
  values (p_account, case p_kind when 'refund' then 'payment_refunded' else 'payment_disputed' end,
          jsonb_build_object('payment_id', p_payment, 'status', v_status, 'refunded', v_back.refunded,
                             'disputed', v_back.disputed, 'currency', v.currency, 'taken', v_moved.taken,
                             'shortfall', v_moved.shortfall));
  perform pg_notify('payments', p_account || '/' || p_payment);
  return true;
end
$$;

create or replace function payments.record_refund(p_account uuid, p_payment uuid, p_id uuid, p_ref text, p_amount bigint, p_status text, p_error text) returns boolean
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
  if v.is_automatic and p_status in ('failed', 'canceled') and v.status not in ('failed', 'canceled', 'succeeded') then
    perform payments.keep_surplus(p_account, p_payment);
  end if;
  return payments.reconcile(p_account, p_payment, 'refund', coalesce(p_ref, p_id::text));
end
$$;
