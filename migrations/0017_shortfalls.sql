-- What a refund or dispute should have taken back, and could not because it was spent or set aside, stays owed. Credits
-- that come back from a hold pay it first, in the statement that releases them.

-- Owed for a grant: `owed` is open, `collected` came back from holds later. Their sum and what was forgiven is the shortfall
-- that reversals record.
create table wallet.shortfalls (
  account_id uuid not null,
  grant_id uuid not null,
  asset wallet.asset not null,
  owed bigint not null default 0,
  collected bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, grant_id),
  constraint shortfall_is_of_a_grant foreign key (account_id, grant_id) references wallet.grants (account_id, id),
  constraint shortfall_not_negative check (least(owed, collected) >= 0)
);
create index shortfalls_open on wallet.shortfalls (account_id, asset) where owed > 0;
create trigger shortfalls_touch before update on wallet.shortfalls for each row execute function core.touch();

-- Take credits back: what is left of this grant first, then of any other of its asset, down to zero. Returns how many were
-- taken; the rest, spent or set aside, is owed.
create or replace function wallet.revoke(p_account uuid, p_grant uuid, p_quantity bigint, p_key text) returns bigint
language plpgsql as $$
declare
  v_asset text;
  v_grant record;
  v_part bigint;
  v_left bigint := p_quantity;
  v_balance bigint;
begin
  select asset into strict v_asset from wallet.grants where account_id = p_account and id = p_grant;
  perform wallet.expire(p_account, v_asset);    -- locks the wallet
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
  if v_left > 0 then
    insert into wallet.shortfalls as s (account_id, grant_id, asset, owed) values (p_account, p_grant, v_asset, v_left)
    on conflict (account_id, grant_id) do update set owed = s.owed + excluded.owed;
  end if;
  return p_quantity - greatest(v_left, 0);
end
$$;

-- Forgive up to this many credits that are owed for a grant, because its money came again. Returns how many.
create function wallet.forgive(p_account uuid, p_grant uuid, p_quantity bigint) returns bigint
language plpgsql as $$
declare
  v_owed bigint;
begin
  perform 1 from wallet.wallets w join wallet.grants g on g.account_id = w.account_id and g.asset = w.asset
   where g.account_id = p_account and g.id = p_grant for update of w;
  select owed into v_owed from wallet.shortfalls where account_id = p_account and grant_id = p_grant;
  v_owed := least(coalesce(v_owed, 0), p_quantity);
  update wallet.shortfalls set owed = owed - v_owed where account_id = p_account and grant_id = p_grant and v_owed > 0;
  return v_owed;
end
$$;

-- Pay open shortfalls of this asset from up to this many credits of a grant; those of the grant itself first. `p_key` names
-- what gave the credits back. The wallet is locked. Returns how many were taken.
create function wallet.collect(p_account uuid, p_grant uuid, p_quantity bigint, p_key text) returns bigint
language plpgsql as $$
declare
  v_debt record;
  v_part bigint;
  v_left bigint := p_quantity;
  v_balance bigint;
begin
  for v_debt in
    select s.grant_id, s.asset, s.owed from wallet.shortfalls s
      join wallet.grants g on g.account_id = s.account_id and g.asset = s.asset
     where g.account_id = p_account and g.id = p_grant and s.owed > 0
     order by s.grant_id <> p_grant, s.created_at, s.grant_id
  loop
    exit when v_left <= 0;
    v_part := least(v_left, v_debt.owed);
    v_left := v_left - v_part;
    update wallet.shortfalls set owed = owed - v_part, collected = collected + v_part
     where account_id = p_account and grant_id = v_debt.grant_id;
    update wallet.grants set remaining = remaining - v_part where account_id = p_account and id = p_grant;
    update wallet.wallets set balance = balance - v_part
     where account_id = p_account and asset = v_debt.asset returning balance into v_balance;
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, idempotency_key)
    values (p_account, v_debt.asset, 'revocation', -v_part, v_balance, p_grant,
            'shortfall:' || v_debt.grant_id || ':' || p_key || ':' || p_grant);
  end loop;
  return p_quantity - v_left;
end
$$;

-- Release a hold: its credits go back to the grants that they came from, and pay what is owed first. False if it had already
-- ended. A grant that expired meanwhile lives one day more, once, so that a failure costs nobody their credits; one whose
-- money went back does not: what came back to it expires before anything can be spent.
create or replace function wallet.release(p_account uuid, p_hold uuid, p_reason text) returns boolean
language plpgsql as $$
declare
  v_hold wallet.holds;
  v_entry record;
  v_balance bigint;
begin
  -- The wallet first: the same order of locks as hold, grant_credits and capture.
  perform 1 from wallet.wallets w
    join wallet.holds h on h.account_id = w.account_id and h.asset = w.asset
   where h.account_id = p_account and h.id = p_hold
     for update of w;
  update wallet.holds set state = 'released', settled_at = now(), reason = p_reason
   where account_id = p_account and id = p_hold and state = 'held'
  returning * into v_hold;
  if not found then
    return false;
  end if;
  update wallet.wallets set held = held - v_hold.quantity where account_id = p_account and asset = v_hold.asset;
  for v_entry in
    select grant_id, -quantity as quantity from wallet.entries
     where account_id = p_account and hold_id = p_hold and kind = 'hold' order by position
  loop
    update wallet.wallets set balance = balance + v_entry.quantity
     where account_id = p_account and asset = v_hold.asset returning balance into v_balance;
    update wallet.grants
       set remaining = remaining + v_entry.quantity,
           expires_at = case when extended_at is null and expires_at <= now() then now() + interval '1 day' else expires_at end,
           extended_at = case when extended_at is null and expires_at <= now() then now() else extended_at end
     where account_id = p_account and id = v_entry.grant_id;
    insert into wallet.entries (account_id, asset, kind, quantity, balance_after, grant_id, hold_id, idempotency_key)
    values (p_account, v_hold.asset, 'release', v_entry.quantity, v_balance, v_entry.grant_id, p_hold,
            'release:' || p_hold || ':' || v_entry.grant_id);
    perform wallet.collect(p_account, v_entry.grant_id, v_entry.quantity, p_hold::text);
  end loop;
  return true;
end
$$;

-- Revoke what a refunded payment bought: the period that it started ends, with what is still set aside of it; one that waits
-- never starts.
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
  -- Not extended when a hold gives credits back.
  update wallet.grants g set extended_at = coalesce(extended_at, now())
   where g.account_id = p_account and g.key in ('plan:' || g.asset || ':' || v_period.id, 'grace:' || g.asset || ':' || v_period.id);
  return exists (select from wallet.memberships where account_id = p_account and period_id = v_period.id)
     and wallet.end_plan(p_account);
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
  v_back bigint;
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

  select coalesce(sum(taken + shortfall), 0) into v_back from payments.reversals
   where account_id = p_account and payment_id = p_payment;
  if v.grant_id is not null then
    v_change := floor(v.quantity * (v_refunded + v_disputed)::numeric / v.amount)::bigint - v_back;
  end if;
  if v_change > 0 then
    v_taken := wallet.revoke(p_account, v.grant_id, v_change, v_id::text);
    v_short := v_change - v_taken;
  else
    -- What is still owed is forgiven first; the rest comes back.
    v_short := -wallet.forgive(p_account, v.grant_id, -v_change);
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

-- Shortfalls that 0.1.0 recorded: what it left spendable beside them came back from holds afterwards, because taking back had
-- emptied every grant there was.
do $$
declare
  v record;
begin
  for v in
    select r.account_id, p.grant_id, p.asset, sum(r.shortfall)::bigint as owed, max(r.created_at) filter (where r.shortfall > 0) as since
      from payments.reversals r join payments.payments p on p.account_id = r.account_id and p.id = r.payment_id
     group by 1, 2, 3 having sum(r.shortfall) > 0 order by 1, 3, 5
  loop
    perform wallet.expire(v.account_id, v.asset);
    insert into wallet.shortfalls (account_id, grant_id, asset, owed) values (v.account_id, v.grant_id, v.asset, v.owed);
    perform wallet.collect(v.account_id, g.id, g.remaining, 'upgrade')
       from wallet.grants g
      where g.account_id = v.account_id and g.asset = v.asset and g.remaining > 0 and (g.id = v.grant_id or g.created_at < v.since);
  end loop;
end
$$;
