-- A subscription that is set or renews again while its account is disabled is stopped as one that renewed when the account was
-- disabled. The lock lets an account that is being disabled at this moment finish first, or wait for this subscription.
create function payments.stop_renewal_of_disabled() returns trigger
language plpgsql as $$
declare
  v_account accounts.accounts;
begin
  select * into strict v_account from accounts.accounts where id = new.account_id for share;
  if not v_account.is_active and v_account.erased_at is null then
    perform core.enqueue('payments.stop_renewal', jsonb_build_object('account', new.account_id), 'payments');
  end if;
  return null;
end
$$;
create trigger memberships_stop_renewal_of_disabled after update of subscription_ref, cancel_at_period_end on wallet.memberships
  for each row when (new.subscription_ref is not null and not new.cancel_at_period_end
                     and (old.cancel_at_period_end or old.subscription_ref is distinct from new.subscription_ref))
  execute function payments.stop_renewal_of_disabled();

-- A period that waited begins without undoing a cancellation: `p_waited`. Only a new purchase, a renewal or the free plan does.
-- squawk-ignore ban-drop-function
drop function wallet.begin_period(uuid, uuid);
create function wallet.begin_period(p_account uuid, p_period uuid, p_waited boolean default false) returns boolean
language plpgsql as $$
declare
  v_period wallet.periods;
  v_plan wallet.plans;
  v_before uuid;
  v_give record;
begin
  update wallet.periods set started_at = now(), bought_until = coalesce(bought_until, ends_at)
   where account_id = p_account and id = p_period and started_at is null returning * into v_period;
  if not found then
    return false;
  end if;
  select * into strict v_plan from wallet.plans where id = v_period.plan_id;
  select plan_id into strict v_before from wallet.memberships where account_id = p_account;
  perform 1 from wallet.wallets where account_id = p_account order by asset for update;
  update wallet.grants g set expires_at = now()
    from wallet.periods p
   where g.account_id = p_account and g.remaining > 0 and g.source = 'plan' and g.expires_at > now()
     and p.account_id = p_account and p.paid_value > 0 and g.key in ('plan:' || g.asset || ':' || p.id, 'grace:' || g.asset || ':' || p.id);
  perform wallet.expire(p_account, w.asset) from wallet.wallets w where w.account_id = p_account;
  update wallet.memberships
     set plan_id = v_plan.id, period_id = v_period.id, period_start = v_period.starts_at, period_end = v_period.ends_at,
         cancel_at_period_end = cancel_at_period_end and p_waited, next_plan_id = null, grace_until = null,
         billing_anchor = case when (wallet.month_of(billing_anchor, v_period.starts_at)).starts_at = v_period.starts_at
                               then billing_anchor else v_period.starts_at end
   where account_id = p_account;
  if v_period.rest_of is not null then
    perform wallet.restore_allowance(p_account, v_period.id, v_period.rest_of, v_period.ends_at);
  else
    for v_give in
      select v.asset, ceil(v.quantity * v_period.allowance_share)::bigint as quantity
        from (values ('conversion', v_plan.monthly_conversions_limit), ('image_slot', v_plan.monthly_images_limit),
                     ('token', v_plan.monthly_tokens)) v (asset, quantity)
       where v.quantity > 0 order by v.asset
    loop
      perform wallet.grant_credits(p_account, v_give.asset, v_give.quantity, 'plan', 'plan:' || v_give.asset || ':' || v_period.id,
                                   v_period.ends_at, v_plan.display_name);
    end loop;
  end if;
  perform wallet.schedule_waiting(p_account);
  if v_before <> v_plan.id then
    insert into core.usage (account_id, action, metadata)
    values (p_account, 'plan_changed', jsonb_build_object('plan', v_plan.name, 'until', v_period.ends_at));
  end if;
  return true;
end
$$;

-- As before, for a period that waited.
create or replace function wallet.begin_waiting(p_account uuid) returns boolean
language plpgsql as $$
declare
  v_next uuid;
begin
  perform wallet.schedule_waiting(p_account);
  if (wallet.current_paid(p_account)).id is not null then
    return false;
  end if;
  select id into v_next from wallet.periods
   where account_id = p_account and started_at is null and starts_at <= clock_timestamp() order by starts_at, id limit 1;
  return found and wallet.begin_period(p_account, v_next, p_waited => true);
end
$$;

-- As before, for a period that waited.
create or replace function wallet.advance_period(p_account uuid) returns text
language plpgsql as $$
declare
  v_member wallet.memberships;
  v_period wallet.periods;
  v_next uuid;
  v_grace timestamptz;
  v_back record;
begin
  select * into strict v_member from wallet.memberships where account_id = p_account for update;
  if coalesce(v_member.grace_until, v_member.period_end) > now() then
    return null;
  end if;
  select id into v_next from wallet.periods
   where account_id = p_account and started_at is null and starts_at <= now() order by starts_at limit 1;
  if found then
    perform wallet.begin_period(p_account, v_next, p_waited => true);
    return 'paid';
  end if;
  select * into v_period from wallet.periods where account_id = p_account and id = v_member.period_id;
  v_grace := v_member.period_end
    + make_interval(days => (select (value #>> '{}')::integer from core.settings where key = 'wallet.grace_days'));
  if v_period.paid_value > 0 and v_member.grace_until is null and not v_member.cancel_at_period_end and v_grace > now() then
    perform 1 from wallet.wallets where account_id = p_account order by asset for update;
    perform wallet.expire(p_account, w.asset) from wallet.wallets w where w.account_id = p_account;
    for v_back in
      select g.asset, -sum(e.quantity)::bigint as quantity, max(g.note) as note
        from wallet.grants g
        join wallet.entries e on e.account_id = g.account_id and e.asset = g.asset and e.kind = 'expiry' and e.grant_id = g.id
       where g.account_id = p_account and g.key = 'plan:' || g.asset || ':' || v_period.id
       group by g.asset order by g.asset
    loop
      perform wallet.grant_credits(p_account, v_back.asset, v_back.quantity, 'plan', 'grace:' || v_back.asset || ':' || v_period.id,
                          v_grace, v_back.note);
    end loop;
    update wallet.memberships set grace_until = v_grace where account_id = p_account;
    insert into core.usage (account_id, action, metadata)
    values (p_account, 'plan_overdue', jsonb_build_object('until', v_grace));
    if v_member.gateway is null then
      perform core.enqueue('wallet.overdue', jsonb_build_object('account', p_account), 'core');
    end if;
    return 'grace';
  end if;
  perform wallet.start_free_period(p_account, v_member.billing_anchor);
  return 'free';
end
$$;

-- As before; a purchase undoes a cancellation of what renewed until now.
create or replace function wallet.set_renewal(p_account uuid, p_gateway text, p_ref text) returns text
language plpgsql as $$
declare
  v_before text;
begin
  select subscription_ref into v_before from wallet.memberships where account_id = p_account for update;
  update wallet.memberships set gateway = p_gateway, subscription_ref = p_ref, cancel_at_period_end = false
   where account_id = p_account and (subscription_ref is distinct from p_ref or cancel_at_period_end);
  return case when v_before is distinct from p_ref then v_before end;
end
$$;

-- As before; a month bought ahead undoes a cancellation too.
create or replace function payments.settle_plan(p payments.payments, p_reference text) returns void
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
  elsif v_fit in ('starts', 'upgrade', 'replaces', 'waits') or v_sub is not null then
    v_before := wallet.set_renewal(p.account_id, case when v_sub is not null then p.gateway end, v_sub);
    if v_before is not null then
      -- What was left of its month is the gateway's to credit, unless it was taken off this price.
      perform core.enqueue('payments.end_subscription', jsonb_build_object('ref', v_before, 'prorate', p.credit = 0), 'payments');
    end if;
  end if;
end
$$;
