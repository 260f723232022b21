-- Paid months: placing, renewing and taking back (decision 24).
-- squawk-ignore ban-drop-function
drop function wallet.apply_paid_period(uuid, uuid, text, bigint, text, bigint, uuid, timestamptz, timestamptz);

-- Prepare an account's membership for a payment: what is over is advanced. Returns the locked row.
create function wallet.membership_now(p_account uuid) returns wallet.memberships
language plpgsql as $$
declare
  v_member wallet.memberships;
begin
  perform 1 from wallet.memberships where account_id = p_account for update;
  loop
    exit when wallet.advance_period(p_account) is null;
  end loop;
  select * into strict v_member from wallet.memberships where account_id = p_account;
  return v_member;
end
$$;

-- Decide what a paid month does, without doing it:
--   'starts'   it starts now, or is the month that was due
--   'upgrade'  it starts now; the rest of the current month was taken off its price, or is credited at the gateway
--   'replaces' it starts now; the rest of the current month follows it
--   'waits'    it follows what was paid before
--   'surplus'  it no longer fits what it was bought for, and should be refunded
--   'credited' it is a second subscription, which the gateway ends and credits
create function wallet.fit_paid_month(
  p_member wallet.memberships, p_plan uuid, p_credit bigint, p_credit_of uuid, p_subscription text, p_force boolean
) returns text
language plpgsql stable as $$
declare
  v_current wallet.periods := wallet.current_paid(p_member.account_id);
  v_larger boolean := wallet.plan_rank(p_plan) > wallet.plan_rank(p_member.plan_id);
begin
  if p_credit > 0 and v_current.id = p_credit_of then
    return 'upgrade';
  elsif p_credit > 0 and not p_force then
    return 'surplus';
  elsif v_current.id is null then
    return 'starts';
  elsif p_subscription is not null and p_member.subscription_ref is not null then
    return case when v_larger then 'upgrade' else 'credited' end;
  elsif v_larger then
    return case when p_member.subscription_ref is not null then 'upgrade' else 'replaces' end;
  elsif p_force or p_subscription is not null then
    return 'waits';
  end if;
  return case when p_member.subscription_ref is not null or exists (
                select from wallet.periods
                 where account_id = p_member.account_id and plan_id = p_plan and started_at is null and rest_of is null)
              then 'surplus' else 'waits' end;
end
$$;

-- Give a paid month of a plan, once for each key. Returns 'known' for a repeated key, or what `fit_paid_month` says; after
-- 'surplus' nothing was given. A forced month is never surplus: of one whose credit is used up it gives what its money buys.
create function wallet.apply_paid_period(
  p_account uuid, p_plan uuid, p_key text, p_amount bigint, p_currency text, p_credit bigint default 0,
  p_credit_of uuid default null, p_subscription text default null, p_force boolean default false
) returns text
language plpgsql as $$
declare
  v_member wallet.memberships := wallet.membership_now(p_account);
  v_now timestamptz := clock_timestamp();
  v_fit text;
  v_starts timestamptz := v_now;
  v_length interval;
  v_share double precision := 1;
  v_value bigint := p_amount + p_credit;
  v_period uuid := core.new_id();
begin
  if exists (select from wallet.periods where account_id = p_account and key = p_key) then
    return 'known';
  end if;
  v_fit := wallet.fit_paid_month(v_member, p_plan, p_credit, p_credit_of, p_subscription, p_force);
  if v_fit = 'surplus' then
    return v_fit;
  elsif v_fit in ('upgrade', 'replaces') then
    perform wallet.interrupt_period(p_account, v_now, case v_fit when 'upgrade' then 'credited' else 'rest' end);
  elsif v_fit = 'starts' and p_plan = coalesce(v_member.next_plan_id, v_member.plan_id) and v_member.period_end <= v_now and exists (
    select from wallet.periods where account_id = p_account and id = v_member.period_id and paid_value > 0) then
    v_starts := v_member.period_end;
  elsif v_fit = 'waits' then
    select greatest(v_member.period_end, max(ends_at)) into v_starts from wallet.periods
     where account_id = p_account and started_at is null;
  end if;
  if v_fit <> 'upgrade' and p_credit > 0 then
    v_share := p_amount::double precision / v_value;
    v_length := wallet.time_between(v_starts, wallet.month_from(v_starts, v_starts)) * v_share;
    v_value := p_amount;
  end if;
  insert into wallet.periods (account_id, id, key, plan_id, starts_at, ends_at, duration, amount, paid_value, currency,
                              subscription_ref, credit_of, allowance_share)
  values (p_account, v_period, p_key, p_plan, v_starts,
          coalesce(v_starts + v_length, wallet.month_from(v_member.billing_anchor, v_starts)), v_length, p_amount, v_value,
          p_currency, p_subscription, case when v_fit = 'upgrade' and p_credit > 0 then p_credit_of end, v_share);
  if v_fit = 'waits' then
    perform wallet.schedule_waiting(p_account);
  elsif v_fit = 'credited' then
    update wallet.periods
       set started_at = now(), bought_until = ends_at, ends_at = v_starts + interval '1 us',
           credited = wallet.time_between(v_starts + interval '1 us', ends_at)
     where account_id = p_account and id = v_period;
  else
    perform wallet.begin_period(p_account, v_period);
  end if;
  return v_fit;
end
$$;

-- Give the period of a subscription's paid invoice, with the gateway's dates where nothing else was paid for them. Time of it
-- in which the free plan ran, since it was paid or reported late, follows as a rest. Returns false for a repeated key.
create function wallet.apply_renewal(
  p_account uuid, p_plan uuid, p_key text, p_amount bigint, p_value bigint, p_currency text, p_subscription text,
  p_starts_at timestamptz, p_ends_at timestamptz
) returns boolean
language plpgsql as $$
declare
  v_member wallet.memberships := wallet.membership_now(p_account);
  v_current wallet.periods;
  v_now timestamptz := clock_timestamp();
  v_length interval := wallet.time_between(p_starts_at, p_ends_at);
  v_period uuid := core.new_id();
begin
  if exists (select from wallet.periods where account_id = p_account and key = p_key) then
    return false;
  end if;
  -- The end of a subscription's month is the gateway's, not the moment at which its payment came in.
  update wallet.periods set ends_at = p_starts_at, bought_until = p_starts_at
   where account_id = p_account and id = v_member.period_id and subscription_ref = p_subscription and ends_at = bought_until
     and ends_at <> p_starts_at and starts_at < p_starts_at and abs(extract(epoch from ends_at - p_starts_at)) < 172800;
  if found then
    update wallet.memberships set period_end = p_starts_at where account_id = p_account and grace_until is null;
    select * into strict v_member from wallet.memberships where account_id = p_account;
  end if;
  insert into wallet.periods (account_id, id, key, plan_id, starts_at, ends_at, duration, is_fixed, amount, paid_value, currency,
                              subscription_ref)
  values (p_account, v_period, p_key, p_plan, p_starts_at, p_ends_at, v_length, true, p_amount, p_value, p_currency,
          p_subscription);
  v_current := wallet.current_paid(p_account);
  if v_current.id is not null and (p_starts_at > v_now or wallet.plan_rank(p_plan) <= wallet.plan_rank(v_current.plan_id))
    or p_starts_at > v_now and exists (
      select from wallet.periods where account_id = p_account and id = v_member.period_id and paid_value > 0) then
    perform wallet.schedule_waiting(p_account);
    return true;
  end if;
  perform wallet.interrupt_period(p_account, v_now, 'rest');
  if p_ends_at <= v_now or p_starts_at > v_now then
    update wallet.periods set starts_at = v_now, ends_at = v_now + v_length where account_id = p_account and id = v_period;
  elsif p_starts_at < v_now and v_member.period_end > v_now then
    update wallet.periods set starts_at = v_now, bought_until = v_now + v_length where account_id = p_account and id = v_period;
    perform wallet.add_rest(p_account, v_period, wallet.time_between(p_starts_at, v_now), v_now);
  end if;
  perform wallet.begin_period(p_account, v_period);
  return true;
end
$$;

-- Take a paid month back whose money was refunded: the time that is left of it ends. Returns whether any was left.
create or replace function wallet.revoke_paid_period(p_account uuid, p_key text) returns boolean
language plpgsql as $$
declare
  v_member wallet.memberships := wallet.membership_now(p_account);
  v_period wallet.periods;
  v_current wallet.periods := wallet.current_paid(p_account);
  v_runs boolean;
  v_ended boolean;
begin
  select * into v_period from wallet.periods
   where account_id = p_account and (key = p_key or starts_with(key, p_key || ':')) order by paid_value > 0 desc, key desc limit 1;
  if not found then
    return false;
  end if;
  -- Not extended when a hold gives credits back.
  update wallet.grants g set extended_at = coalesce(extended_at, now())
    from wallet.periods p
   where p.account_id = p_account and v_period.id in (p.id, p.rest_of) and g.account_id = p_account
     and g.key in ('plan:' || g.asset || ':' || p.id, 'grace:' || g.asset || ':' || p.id);
  update wallet.periods
     set started_at = now(), paid_value = 0, amount = 0, bought_until = ends_at, revoked = wallet.time_between(starts_at, ends_at)
   where account_id = p_account and v_period.id in (id, rest_of) and started_at is null;
  v_ended := found;
  v_runs := v_period.id in (v_current.id, v_current.rest_of);
  if v_runs then
    perform wallet.interrupt_period(p_account, clock_timestamp(), 'revoked');
  end if;
  update wallet.periods set refunded_at = now() where account_id = p_account and id = v_period.id;
  if v_ended or v_runs then
    perform wallet.return_credit(p_account, v_period.id);
  end if;
  perform wallet.schedule_waiting(p_account);
  if v_runs or v_member.period_id = v_period.id then
    perform wallet.end_plan(p_account);
  end if;
  return v_ended or v_runs;
end
$$;

-- Give back the time that was taken off a refunded upgrade's price, as a rest of the month that it was left of.
create function wallet.return_credit(p_account uuid, p_period uuid) returns void
language plpgsql as $$
declare
  v_period wallet.periods;
  v_paid wallet.periods;
  v_share double precision;
begin
  select * into strict v_period from wallet.periods where account_id = p_account and id = p_period;
  select * into v_paid from wallet.periods
   where account_id = p_account and id = v_period.credit_of and credited > interval '0' and refunded_at is null;
  if not found then
    return;
  end if;
  perform wallet.add_rest(p_account, v_paid.id, v_paid.credited, clock_timestamp());
  update wallet.periods set credited = interval '0' where account_id = p_account and id = v_paid.id;
  v_share := v_period.amount::double precision / v_period.paid_value;
  update wallet.periods
     set credit_of = null, paid_value = amount, revoked = revoked * v_share, credited = credited + (revoked - revoked * v_share)
   where account_id = p_account and id = p_period;
end
$$;

-- Give back what a refund took of a paid month, since the refund did not go through. `p_again` is the key of a month that is
-- given whole: one that had not started, or that was surplus.
create function wallet.restore_paid_period(
  p_account uuid, p_plan uuid, p_key text, p_again text, p_amount bigint, p_currency text, p_credit bigint, p_credit_of uuid
) returns void
language plpgsql as $$
declare
  v_period wallet.periods;
  v_back interval;
begin
  perform wallet.membership_now(p_account);
  select * into v_period from wallet.periods
   where account_id = p_account and (key = p_key or starts_with(key, p_key || ':')) order by paid_value > 0 desc, key desc limit 1;
  if not found or v_period.paid_value = 0 then
    perform wallet.apply_paid_period(p_account, p_plan, p_again, p_amount, p_currency, p_credit, p_credit_of, p_force => true);
    return;
  end if;
  select sum(revoked) into v_back from wallet.periods where account_id = p_account and v_period.id in (id, rest_of);
  update wallet.periods set revoked = interval '0', refunded_at = null where account_id = p_account and v_period.id in (id, rest_of);
  if v_back > interval '0' then
    perform wallet.add_rest(p_account, v_period.id, v_back, clock_timestamp());
    perform wallet.begin_waiting(p_account);
  end if;
end
$$;

select wallet.schedule_waiting(account_id) from (select distinct account_id from wallet.periods where started_at is null) waiting;
