-- Paid time of plans is never lost: decision 24.
--
-- Every paid month is a period. A period that is interrupted ends then; what is left of it becomes a period of its own that
-- waits (`rest_of`), or is credited (to a price, or to the balance at a gateway), or goes back with its money. For a paid
-- period and its rests always:
--   bought_until - starts_at = time given + time waiting + credited + revoked
alter table wallet.periods
  add column bought_until timestamptz,
  add column duration interval,
  add column is_fixed boolean not null default false,
  add column subscription_ref text,
  add column rest_of uuid,
  add column credit_of uuid,
  add column credited interval not null default '0',
  add column revoked interval not null default '0',
  add column refunded_at timestamptz,
  add column allowance_share double precision not null default 1,
  add constraint period_allowance_share_in_range check (allowance_share > 0 and allowance_share <= 1) not valid,
  add constraint period_rest_of_a_period foreign key (account_id, rest_of) references wallet.periods (account_id, id) not valid,
  add constraint period_credit_of_a_period foreign key (account_id, credit_of) references wallet.periods (account_id, id) not valid,
  add constraint period_duration_positive check (duration > interval '0') not valid,
  add constraint period_bought_as_long_as_given check (bought_until >= ends_at) not valid,
  add constraint period_time_back_not_negative check (least(credited, revoked) >= interval '0') not valid;
comment on column wallet.periods.bought_until is 'The end of what was paid for; ends_at is earlier if the period was interrupted. Null until it starts';
comment on column wallet.periods.duration is 'The length of a waiting period; null: one month by the calendar from its start';
comment on column wallet.periods.is_fixed is 'Its dates are the gateway''s and do not move while it waits';
-- squawk-ignore require-concurrent-index-creation
create index periods_rests on wallet.periods (account_id, rest_of) where rest_of is not null;
-- squawk-ignore require-concurrent-index-creation
create index periods_credits on wallet.periods (account_id, credit_of) where credit_of is not null;

-- Periods that an upgrade has ended: the rest was taken off the upgrade's price.
update wallet.periods set bought_until = ends_at where started_at is not null;
with ended as (
  select p.account_id, p.id, greatest(p.next_at, p.starts_at + interval '1 us') as ended_at
    from (select account_id, id, starts_at, ends_at, paid_value,
                 lead(started_at) over (partition by account_id order by started_at, id) as next_at
            from wallet.periods where started_at is not null) p
   where p.paid_value > 0 and p.next_at < p.ends_at
)
update wallet.periods p
   set ends_at = e.ended_at, credited = make_interval(secs => extract(epoch from p.ends_at - e.ended_at)::double precision)
  from ended e where p.account_id = e.account_id and p.id = e.id and p.ends_at > e.ended_at;
-- A month paid ahead kept its dates under an upgrade and began late: it began when the upgrade's month was over.
update wallet.periods p set starts_at = q.until
  from (select account_id, id, max(ends_at) over (partition by account_id order by started_at, id
                                                 rows between unbounded preceding and 1 preceding) as until
          from wallet.periods where started_at is not null and paid_value > 0) q
 where p.account_id = q.account_id and p.id = q.id and q.until > p.starts_at and q.until < p.ends_at;
-- Months that wait: the gateway's dates stay, if a gateway renews the plan.
update wallet.periods p
   set is_fixed = true, duration = make_interval(secs => extract(epoch from p.ends_at - p.starts_at)::double precision),
       subscription_ref = m.subscription_ref
  from wallet.memberships m where m.account_id = p.account_id and m.subscription_ref is not null and p.started_at is null;

-- squawk-ignore constraint-missing-not-valid
alter table wallet.periods validate constraint period_allowance_share_in_range;
-- squawk-ignore constraint-missing-not-valid
alter table wallet.periods validate constraint period_rest_of_a_period;
-- squawk-ignore constraint-missing-not-valid
alter table wallet.periods validate constraint period_credit_of_a_period;
-- squawk-ignore constraint-missing-not-valid
alter table wallet.periods validate constraint period_duration_positive;
-- squawk-ignore constraint-missing-not-valid
alter table wallet.periods validate constraint period_bought_as_long_as_given;
-- squawk-ignore constraint-missing-not-valid
alter table wallet.periods validate constraint period_time_back_not_negative;

-- Return the time from one moment to another in seconds, so that adding it again is exact whatever the time zone.
create function wallet.time_between(p_from timestamptz, p_to timestamptz) returns interval
language sql immutable parallel safe as $$
  select make_interval(secs => extract(epoch from p_to - p_from)::double precision)
$$;

-- Return the end of the month that begins at `p_starts`: by the anchor's day, or by its own when it begins on another.
create function wallet.month_from(p_anchor timestamptz, p_starts timestamptz) returns timestamptz
language sql immutable as $$
  select case when grid.starts_at = p_starts then grid.ends_at else own.ends_at end
    from wallet.month_of(p_anchor, p_starts) grid, wallet.month_of(p_starts, p_starts) own
$$;

-- Return a plan's place among those of its kind, by price in the currency of the cheapest paid one.
create function wallet.plan_rank(p_plan uuid) returns bigint
language sql stable as $$
  select coalesce(wallet.price_of(p.id, c.currency), p.price_per_month, 0)
    from wallet.plans p
    left join lateral (
      select currency from wallet.plans where kind = p.kind and price_per_month > 0 order by is_active desc, price_per_month, id limit 1
    ) c on true
   where p.id = p_plan
$$;

-- Return the paid period that is running; a null row on the free plan, in grace and when it is over.
create function wallet.current_paid(p_account uuid) returns wallet.periods
language sql stable as $$
  select p.* from wallet.memberships m join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
   where m.account_id = p_account and p.paid_value > 0 and m.grace_until is null and p.ends_at > clock_timestamp()
$$;

-- Give the waiting periods their dates: one after another behind the current one, larger plans first.
create function wallet.schedule_waiting(p_account uuid) returns void
language plpgsql as $$
declare
  v_end timestamptz;
  v_anchor timestamptz;
  v record;
begin
  select case when p.paid_value > 0 then m.period_end else clock_timestamp() end, m.billing_anchor into v_end, v_anchor
    from wallet.memberships m left join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
   where m.account_id = p_account;
  for v in
    select id, starts_at, ends_at, duration, is_fixed from wallet.periods
     where account_id = p_account and started_at is null order by wallet.plan_rank(plan_id) desc, starts_at, id
  loop
    if v.is_fixed and v.starts_at >= v_end then
      v_end := v.ends_at;
    else
      update wallet.periods
         set starts_at = v_end, ends_at = coalesce(v_end + v.duration, wallet.month_from(v_anchor, v_end)), is_fixed = false
       where account_id = p_account and id = v.id returning ends_at into v_end;
    end if;
  end loop;
end
$$;

-- Add what is left of a paid period as a period that waits, with its share of the value.
create function wallet.add_rest(p_account uuid, p_period uuid, p_left interval, p_at timestamptz) returns void
language plpgsql as $$
declare
  v_id uuid := core.new_id();
begin
  insert into wallet.periods (account_id, id, key, plan_id, starts_at, ends_at, duration, rest_of, amount, paid_value, currency)
  select p_account, v_id, 'rest:' || v_id, p.plan_id, p_at, p_at + p_left, p_left, coalesce(p.rest_of, p.id), 0,
         greatest(1, floor(p.paid_value * extract(epoch from p_left) / extract(epoch from p.bought_until - p.starts_at)))::bigint,
         p.currency
    from wallet.periods p where p.account_id = p_account and p.id = p_period;
end
$$;

-- End the current paid period at `p_at`. What is left of it waits ('rest'), or is credited ('credited'), or goes back with its
-- money ('revoked').
create function wallet.interrupt_period(p_account uuid, p_at timestamptz, p_way text) returns void
language plpgsql as $$
declare
  v_period wallet.periods := wallet.current_paid(p_account);
  v_at timestamptz := greatest(p_at, v_period.starts_at + interval '1 us');
  v_left interval := wallet.time_between(v_at, v_period.ends_at);
begin
  if v_period.id is null or v_left <= interval '0' then
    return;
  end if;
  update wallet.periods
     set ends_at = v_at,
         credited = credited + case p_way when 'credited' then v_left else interval '0' end,
         revoked = revoked + case p_way when 'revoked' then v_left else interval '0' end
   where account_id = p_account and id = v_period.id;
  if p_way = 'rest' then
    perform wallet.add_rest(p_account, v_period.id, v_left, v_at);
  end if;
end
$$;

-- Grant what was left of a period's allowance when it was interrupted to its rest.
create function wallet.restore_allowance(p_account uuid, p_rest uuid, p_root uuid, p_expires_at timestamptz) returns void
language plpgsql as $$
declare
  v_before uuid;
  v_back record;
begin
  select id into strict v_before from wallet.periods
   where account_id = p_account and started_at is not null and id <> p_rest and (id = p_root or rest_of = p_root)
   order by ends_at desc, id desc limit 1;
  for v_back in
    select g.asset, -sum(e.quantity)::bigint as quantity, max(g.note) as note
      from wallet.grants g
      join wallet.entries e on e.account_id = g.account_id and e.asset = g.asset and e.kind = 'expiry' and e.grant_id = g.id
     where g.account_id = p_account and g.key = 'plan:' || g.asset || ':' || v_before
     group by g.asset order by g.asset
  loop
    perform wallet.grant_credits(p_account, v_back.asset, v_back.quantity, 'plan', 'plan:' || v_back.asset || ':' || p_rest,
                                 p_expires_at, v_back.note);
  end loop;
end
$$;

-- Start a period: it ends what is left of the current allowance, and grants its own.
create or replace function wallet.begin_period(p_account uuid, p_period uuid) returns boolean
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
         cancel_at_period_end = false, next_plan_id = null, grace_until = null,
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

-- Start the paid period that is due next, if no other runs. Returns whether one started.
create function wallet.begin_waiting(p_account uuid) returns boolean
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
  return found and wallet.begin_period(p_account, v_next);
end
$$;

-- End the current paid plan: the next paid period starts, or else the free plan.
create or replace function wallet.end_plan(p_account uuid) returns boolean
language plpgsql as $$
begin
  perform 1 from wallet.memberships m join wallet.periods p on p.account_id = m.account_id and p.id = m.period_id
   where m.account_id = p_account and p.paid_value > 0 for update of m;
  if not found then
    return false;
  end if;
  update wallet.memberships set period_end = greatest(clock_timestamp(), period_start + interval '1 us'), grace_until = null
   where account_id = p_account and period_end > clock_timestamp();
  if not wallet.begin_waiting(p_account) then
    perform wallet.start_free_period(p_account, now());
  end if;
  return true;
end
$$;
