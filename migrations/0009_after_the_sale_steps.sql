-- What happens after the sale, step by step. Whatever is told in whatever order, the end is the same.

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
  perform wallet.expire(p_account, v_asset);
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

-- Bring a payment's state and its credits into line with the money that went back: what its refunds and disputes say now,
-- whatever the order in which they were told. Money that went back had come, so an open payment is settled first.
-- Of a part of the money the credits are rounded down; for all of it all are taken. True if that changed anything.
create function payments.reckon(p_account uuid, p_payment uuid, p_kind text, p_ref text) returns boolean
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
           v.refund_told - coalesce(sum(amount) filter (where status in ('failed', 'canceled') and ref is not null), 0)))
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
      perform wallet.give(p_account, v.asset, -v_taken, 'refund', 'reversal:' || v_id, null,
        case p_kind when 'dispute' then 'The dispute was decided for you' else 'The refund did not go through' end);
    end if;
  end if;
  if (v_refunded + v_disputed, v_change) <> (v.refunded + v.disputed, 0) then
    insert into payments.reversals (account_id, id, payment_id, kind, ref, amount, taken, shortfall)
    values (p_account, v_id, p_payment, p_kind, p_ref, v_refunded + v_disputed - v.refunded - v.disputed, v_taken, v_short);
  end if;
  if v.kind = 'plan' and v_status = 'refunded' then
    perform wallet.unpay_period(p_account, 'payment:' || p_payment);
  elsif v.kind = 'plan' and v.status = 'refunded' then
    perform wallet.pay_period(p_account, v.plan_id, 'payment:' || p_payment || ':' || v_id, v.amount, v.currency);
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

-- Ask for money to be paid back: a row that the gateway is asked with. True the first time; the same id again is the same
-- refund.
create function payments.ask_refund(p_account uuid, p_payment uuid, p_id uuid, p_amount bigint, p_reason text, p_by uuid)
returns boolean
language plpgsql as $$
declare
  v payments.payments;
  v_asked bigint;
begin
  select * into strict v from payments.payments where account_id = p_account and id = p_payment for update;
  if exists (select from payments.refunds where account_id = p_account and id = p_id) then
    return false;
  end if;
  select coalesce(sum(amount), 0) into v_asked from payments.refunds
   where account_id = p_account and payment_id = p_payment and status = 'asked';
  if v.paid_at is null or p_amount > v.amount - v.refunded - v.disputed - v_asked then
    raise exception 'no more can be paid back than was paid' using errcode = 'check_violation', constraint = 'refund_within_payment';
  end if;
  insert into payments.refunds (account_id, id, payment_id, amount, reason, asked_by)
  values (p_account, p_id, p_payment, p_amount, p_reason, p_by);
  return true;
end
$$;

-- A refund stands as told: ours by `p_id`, one that was made at the gateway by its `p_ref` alone. Older news changes nothing.
create function payments.tell_refund(
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
     where account_id = p_account and id = v.id and payments.refund_step(p_status) >= payments.refund_step(v.status);
  end if;
  return payments.reckon(p_account, p_payment, 'refund', coalesce(p_ref, p_id::text));
end
$$;

-- The gateway names what it has paid back of a payment in all, whoever asked for it.
create function payments.tell_refunded(p_account uuid, p_payment uuid, p_ref text, p_total bigint) returns boolean
language plpgsql as $$
begin
  update payments.payments set refund_told = p_total
   where account_id = p_account and id = p_payment and refund_told < p_total;
  return found and payments.reckon(p_account, p_payment, 'refund', p_ref);
end
$$;

-- A dispute stands as told. Opening takes the credits back and freezes spending; winning gives them back; when none of the
-- account's is open any more, spending goes on. An end that was told stays, whatever older news comes later. An inquiry
-- (warning) moves no money.
create function payments.tell_dispute(
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
  v_changed := payments.reckon(p_account, p_payment, 'dispute', p_dispute);
  perform wallet.freeze(p_account, exists (
    select from payments.disputes where account_id = p_account and ended_at is null and status not like 'warning%'));
  return v_changed;
end
$$;
