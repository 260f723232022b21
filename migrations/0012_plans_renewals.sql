-- Plans that a gateway renews by itself.

-- From now on this gateway renews the plan, under this name; null for nobody. One that did so before and does no longer is
-- ended there by a job, so that nobody pays for two.
create function wallet.renew_by(p_account uuid, p_gateway text, p_ref text) returns text
language plpgsql as $$
declare
  v_before text;
begin
  select subscription_ref into v_before from wallet.memberships where account_id = p_account for update;
  update wallet.memberships set gateway = p_gateway, subscription_ref = p_ref
   where account_id = p_account and subscription_ref is distinct from p_ref;
  return case when v_before is distinct from p_ref then v_before end;
end
$$;

-- A month that a subscription has paid for: `p_first` is the payment that began it. Money that comes is a payment of its own,
-- under the invoice's name, so that it comes once. False if the invoice is known.
create function payments.renew(
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
  -- A month that comes in without our having heard of the beginning tells that too.
  perform payments.settle(p_account, p_first, p_subscription, null);
  perform wallet.pay_period(p_account, p_plan, 'payment:' || v_id, p_amount, p_currency, 0, null, p_starts_at, p_ends_at);
  if not exists (select from wallet.memberships where account_id = p_account and subscription_ref is not null) then
    perform wallet.renew_by(p_account, v_first.gateway, p_subscription);
  end if;
  update payments.payments set status = 'completed', paid_at = now(), reference = p_invoice
   where account_id = p_account and id = v_id;
  insert into core.usage (account_id, action, metadata)
  values (p_account, 'payment_completed', jsonb_build_object('payment_id', v_id, 'amount', p_amount, 'currency', p_currency,
          'invoice', p_invoice));
  return true;
end
$$;

-- A subscription is over at its gateway. What was paid for stays until its end, then the free plan follows; what was not ends.
create function wallet.end_renewals(p_account uuid, p_ref text) returns boolean
language plpgsql as $$
declare
  v_member wallet.memberships;
begin
  select * into v_member from wallet.memberships where account_id = p_account and subscription_ref = p_ref for update;
  if not found then
    return false;
  end if;
  update wallet.memberships
     set gateway = null, subscription_ref = null, cancel_at_period_end = true, next_plan_id = null
   where account_id = p_account;
  if v_member.grace_until is not null then
    perform wallet.end_plan(p_account);
  end if;
  return true;
end
$$;

-- Whether a subscription ends with its period, as its gateway says. A smaller plan that shall follow stays chosen.
create function wallet.ends_later(p_account uuid, p_ref text, p_ends boolean) returns boolean
language plpgsql as $$
begin
  update wallet.memberships
     set cancel_at_period_end = p_ends, next_plan_id = case when not p_ends then next_plan_id end
   where account_id = p_account and subscription_ref = p_ref and cancel_at_period_end <> p_ends;
  return found;
end
$$;
