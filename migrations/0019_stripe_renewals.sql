-- Renewals follow an invoice's lines: a month paid from the customer's balance at Stripe moves no money and counts all the same.

-- Ids of customers that were deleted at Stripe, the oldest first.
alter table payments.customers
  add column former_refs text[] not null default '{}',
  add column updated_at timestamptz not null default now();
create trigger customers_touch before update on payments.customers for each row execute function core.touch();

-- squawk-ignore ban-drop-function
drop function payments.renew(uuid, uuid, uuid, text, text, bigint, text, timestamptz, timestamptz);

-- Give the month that an invoice pays for, once. `p_amount` is what was charged, `p_credit` what the customer's balance paid.
-- An invoice that charged nothing leaves no payment, only the month.
create function payments.renew(
  p_account uuid, p_first uuid, p_plan uuid, p_invoice text, p_subscription text, p_amount bigint, p_credit bigint,
  p_currency text, p_starts_at timestamptz, p_ends_at timestamptz
) returns boolean language plpgsql as $$
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
  v_given := wallet.apply_paid_period(p_account, p_plan, case when p_amount > 0 then 'payment:' || v_id else 'invoice:' || p_invoice end,
                                      p_amount, p_currency, p_credit, null, p_starts_at, p_ends_at);
  if not exists (select from wallet.memberships where account_id = p_account and subscription_ref is not null) then
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
