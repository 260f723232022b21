-- Functions of the wallet, under the new names of what they use.

-- Set credits aside: the id of the hold, or null when there are not enough.
create or replace function wallet.hold(p_account uuid, p_asset text, p_quantity bigint, p_key text, p_hold uuid default core.new_id())
returns uuid
language sql as $$
  select (wallet.hold_many(array[p_account], array[p_asset], array[p_quantity], array[p_key], array[p_hold]))[1]
$$;

-- Start a recorded period: it becomes the membership's current one, what is left of a paid period before it expires, and its
-- allowances are granted until its end. False if it had started. The membership is locked.
create or replace function wallet.begin_period(p_account uuid, p_period uuid) returns boolean
language plpgsql as $$
declare
  v_period wallet.periods;
  v_plan wallet.plans;
  v_before uuid;
  v_give record;
begin
  update wallet.periods set started_at = now()
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
         cancel_at_period_end = false, next_plan_id = null, grace_until = null
   where account_id = p_account;
  for v_give in
    select * from (values ('conversion', v_plan.monthly_conversions_limit), ('image_slot', v_plan.monthly_images_limit),
                          ('token', v_plan.monthly_tokens)) v (asset, quantity)
     where v.quantity > 0 order by v.asset
  loop
    perform wallet.grant_credits(p_account, v_give.asset, v_give.quantity, 'plan', 'plan:' || v_give.asset || ':' || v_period.id,
                        v_period.ends_at, v_plan.display_name);
  end loop;
  if v_before <> v_plan.id then
    insert into core.usage (account_id, action, metadata)
    values (p_account, 'plan_changed', jsonb_build_object('plan', v_plan.name, 'until', v_period.ends_at));
  end if;
  return true;
end
$$;

-- Start this month of the free plan of the account's kind.
create or replace function wallet.start_free_period(p_account uuid, p_anchor timestamptz) returns void
language plpgsql as $$
declare
  v_plan uuid;
  v_month record;
  v_period uuid;
begin
  select p.id into strict v_plan from wallet.plans p
    join accounts.accounts a on p.name = case a.kind when 'vendor' then 'vendor_free' else 'free' end
   where a.id = p_account;
  select * into strict v_month from wallet.month_of(p_anchor, now());
  insert into wallet.periods (account_id, key, plan_id, starts_at, ends_at)
  values (p_account, 'free:' || extract(epoch from v_month.starts_at), v_plan, v_month.starts_at, v_month.ends_at)
  on conflict on constraint period_made_once do nothing;
  select id into strict v_period from wallet.periods
   where account_id = p_account and key = 'free:' || extract(epoch from v_month.starts_at);
  update wallet.memberships set billing_anchor = p_anchor, gateway = null, subscription_ref = null where account_id = p_account;
  if not wallet.begin_period(p_account, v_period) then
    update wallet.memberships
       set plan_id = v_plan, period_id = v_period, period_start = v_month.starts_at, period_end = v_month.ends_at,
           cancel_at_period_end = false, next_plan_id = null, grace_until = null
     where account_id = p_account;
  end if;
end
$$;

-- Apply the payment of a month of a plan, once for each key. The same plan, or the smaller one that was chosen to follow, starts
-- when the current period ends, also within the days of grace; any other starts now. `p_credit` of its price is what the period
-- before was still worth: if that period is over, the money buys only the part of the month that it pays for.
-- A gateway that renews by itself names the start and the end. False if the key is known.
create or replace function wallet.apply_paid_period(
  p_account uuid, p_plan uuid, p_key text, p_amount bigint, p_currency text,
  p_credit bigint default 0, p_credit_period uuid default null,
  p_starts_at timestamptz default null, p_ends_at timestamptz default null
) returns boolean
language plpgsql as $$
declare
  v_member wallet.memberships;
  v_starts timestamptz := p_starts_at;
  v_ends timestamptz := p_ends_at;
  v_waiting timestamptz;
  v_period uuid := core.new_id();
begin
  select * into strict v_member from wallet.memberships where account_id = p_account for update;
  if exists (select from wallet.periods where account_id = p_account and key = p_key) then
    return false;
  end if;
  if v_starts is null then
    select max(ends_at) into v_waiting from wallet.periods
     where account_id = p_account and plan_id = p_plan and started_at is null;
    if v_waiting is not null then
      v_starts := v_waiting;
    elsif p_plan = coalesce(v_member.next_plan_id, v_member.plan_id)
      and coalesce(v_member.grace_until, v_member.period_end) > now()
      and exists (select from wallet.periods where account_id = p_account and id = v_member.period_id and paid_value > 0) then
      v_starts := v_member.period_end;
    else
      v_starts := now();
      update wallet.memberships set billing_anchor = now() where account_id = p_account returning billing_anchor into v_member.billing_anchor;
    end if;
    select ends_at into v_ends from wallet.month_of(v_member.billing_anchor, v_starts);
    if p_credit_period is not null and p_credit_period is distinct from v_member.period_id then
      v_ends := v_starts + (v_ends - v_starts) * (p_amount::double precision / (p_amount + p_credit));
      p_credit := 0;
    end if;
  end if;
  insert into wallet.periods (account_id, id, key, plan_id, starts_at, ends_at, amount, paid_value, currency)
  values (p_account, v_period, p_key, p_plan, v_starts, v_ends, p_amount, p_amount + p_credit, p_currency);
  if v_ends <= now() then
    -- Reported late: a month that is over is recorded and grants nothing.
    update wallet.periods set started_at = now() where account_id = p_account and id = v_period;
  elsif v_starts <= now() then
    perform wallet.begin_period(p_account, v_period);
  end if;
  return true;
end
$$;

-- End the plan now: the free one follows, and nothing is left of it. False if there was none.
create or replace function wallet.end_plan(p_account uuid) returns boolean
language plpgsql as $$
begin
  perform 1 from wallet.memberships m join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
   where m.account_id = p_account and p.paid_value > 0 for update of m;
  if not found then
    return false;
  end if;
  perform wallet.start_free_period(p_account, now());
  return true;
end
$$;

-- Revoke what a refunded payment bought: the period that it started ends, one that waits never starts.
create or replace function wallet.revoke_paid_period(p_account uuid, p_key text) returns boolean
language plpgsql as $$
declare
  v_period wallet.periods;
begin
  perform 1 from wallet.memberships where account_id = p_account for update;
  select * into v_period from wallet.periods where account_id = p_account and key = p_key;
  if not found then
    return false;
  end if;
  if v_period.started_at is null then
    update wallet.periods set started_at = now(), paid_value = 0, amount = 0 where account_id = p_account and id = v_period.id;
    return true;
  end if;
  return exists (select from wallet.memberships where account_id = p_account and period_id = v_period.id)
     and wallet.end_plan(p_account);
end
$$;

-- Advance a membership whose period is over: to the one that is paid already, to days of grace in which expired allowances
-- come back, or to the free plan. Returns which, null while the period is not over.
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
    perform wallet.begin_period(p_account, v_next);
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

-- Create a new account's membership of the free plan of its kind, this month's allowances and the welcome tokens.
create or replace function wallet.create_for_account() returns trigger
language plpgsql as $$
declare
  v_tokens bigint;
begin
  insert into wallet.memberships (account_id, plan_id, period_end)
  select new.id, p.id, now() + interval '1 day' from wallet.plans p
   where p.name = case new.kind when 'vendor' then 'vendor_free' else 'free' end;
  select (value #>> '{}')::bigint into v_tokens from core.settings where key = 'wallet.welcome_tokens';
  if v_tokens > 0 then
    perform wallet.grant_credits(new.id, 'token', v_tokens, 'free', 'welcome', null, 'Welcome');
  end if;
  perform wallet.start_free_period(new.id, now());
  return null;
end
$$;
