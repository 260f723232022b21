-- Reconciling a payment, in steps.

-- The money of a payment that went back, from its refunds and disputes: a gateway's total counts where it is more than the
-- refunds that are known. `undecided` while a dispute is open.
create function payments.money_back(p payments.payments, out refunded bigint, out disputed bigint, out undecided boolean)
language plpgsql stable as $$
begin
  select least(p.amount, greatest(
           coalesce(sum(amount) filter (where status in ('pending', 'requires_action', 'succeeded')), 0),
           p.gateway_refunded_total
             - coalesce(sum(amount) filter (where status in ('failed', 'canceled') and ref is not null), 0)))
    into refunded from payments.refunds where account_id = p.account_id and payment_id = p.id;
  select least(p.amount - refunded, coalesce(sum(amount) filter (where status not in ('won', 'prevented')), 0)),
         coalesce(bool_or(ended_at is null), false)
    into disputed, undecided from payments.disputes
   where account_id = p.account_id and payment_id = p.id and status not like 'warning%';
end
$$;

-- Take credits of a payment's grant back (`p_change` above 0) or return them: what is still owed is forgiven first. `taken` and
-- `shortfall` are signed like the change.
create function payments.move_credits(
  p payments.payments, p_change bigint, p_reversal uuid, p_kind text, out taken bigint, out shortfall bigint
)
language plpgsql as $$
begin
  if p_change > 0 then
    taken := wallet.revoke(p.account_id, p.grant_id, p_change, p_reversal::text);
    shortfall := p_change - taken;
    return;
  end if;
  shortfall := -wallet.forgive(p.account_id, p.grant_id, -p_change);
  taken := p_change - shortfall;
  if taken < 0 then
    perform wallet.grant_credits(p.account_id, p.asset, -taken, 'refund', 'reversal:' || p_reversal, null,
      case p_kind when 'dispute' then 'The dispute was decided for you' else 'The refund did not go through' end);
  end if;
end
$$;

-- Bring a payment's state and its credits into line with the money that went back: what its refunds and disputes say now,
-- whatever the order in which they were reported. Money that went back had come, so an open payment is settled first. For a
-- part of the money the credits are rounded down; for all of it all are revoked. True if that changed anything.
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
    perform wallet.apply_paid_period(p_account, v.plan_id, 'payment:' || p_payment || ':' || v_id, v.amount, v.currency);
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
