-- Refresh the states also when discounts, coupons and invoices arrive, and compute them again once with their whole worth.

-- A subscription's monthly revenue now: 0 unless it is active or past due and its collection is not paused.
create function reports.current_monthly(p_id text, p_data jsonb) returns bigint
language plpgsql stable parallel safe as $$
begin
  if coalesce(reports.status_of(p_data) not in ('active', 'past_due'), true) then
    return 0;
  end if;
  return reports.minor((reports.worth(p_data, case when reports.priced_by_invoice(p_data) then reports.billed(p_id, now()) end, now())).monthly);
end
$$;

-- The subscriptions whose states may have changed by what was written since a time. A discount is of a customer's subscription,
-- an invoice matters where an item's amount is known only from it.
create function reports.changed_subscriptions(p_since timestamptz) returns text[]
language sql stable as $$
  with discounts as (
    select e.payload #> '{data,object}' as data, e.created_at from stripe_mirror.events e where e.type like 'customer.discount.%'
    union all
    select d.data, d.created_at from stripe_mirror.discounts d
  ), coupons as (
    select c.id from stripe_mirror.coupons c where c.synced_at >= p_since
  )
  select array_agg(id) from (
    select object_id as id from stripe_mirror.events where kind = 'subscriptions' and created_at >= p_since
    union
    select id from stripe_mirror.subscriptions where synced_at >= p_since
    union
    select i.subscription_id from stripe_mirror.invoices i join stripe_mirror.subscriptions s on s.id = i.subscription_id
     where i.synced_at >= p_since and reports.priced_by_invoice(s.data)
    union
    select s.id from discounts d join stripe_mirror.subscriptions s on s.customer_id = stripe_mirror.json_id(d.data -> 'customer')
     where d.created_at >= p_since
    union
    select s.id from discounts d join stripe_mirror.subscriptions s on s.customer_id = stripe_mirror.json_id(d.data -> 'customer')
     where exists (select from coupons)
       and stripe_mirror.json_id(coalesce(nullif(d.data #> '{source,coupon}', 'null'), d.data -> 'coupon')) in (select id from coupons)
  ) news where id is not null
$$;

-- Follow the mirror: recompute what has news since the last time, or everything. Returns how many subscriptions that were; null
-- when another session has been doing it for 5 s. A transaction's rows have the time at which it began, so nothing that is still
-- to be committed is missed; what is computed twice comes out the same.
create or replace function reports.refresh(p_all boolean) returns bigint
language plpgsql as $$
declare
  v_began timestamptz := clock_timestamp();
  v_done timestamptz;
  v_until timestamptz;
  v_ids text[];
  v_customers text[];
  v_count bigint;
begin
  begin
    perform set_config('lock_timeout', '5s', true), pg_advisory_xact_lock(hashtext('reports.refresh'));
  exception when lock_not_available then
    return null;
  end;
  select done_until into v_done from reports.progress where part = 'subscriptions';
  v_until := least(clock_timestamp(), (select min(xact_start) from pg_stat_activity
                                        where datname = current_database() and pid <> pg_backend_pid())) - interval '1 second';
  if p_all or v_done is null or v_done = '-infinity' then
    delete from reports.states;
    delete from reports.movements;
    insert into reports.states select * from reports.compute_states(null);
    insert into reports.movements select * from reports.compute_movements(null);
    select count(distinct subscription_id) into v_count from reports.states;
  else
    v_ids := reports.changed_subscriptions(v_done);
    v_count := coalesce(cardinality(v_ids), 0);
    if v_count > 0 then
      with gone as (
        delete from reports.states where subscription_id = any (v_ids) returning customer_id
      )
      select array_agg(distinct customer_id) into v_customers from gone;
      with come as (
        insert into reports.states select * from reports.compute_states(v_ids) returning customer_id
      )
      select v_customers || array_agg(distinct customer_id) into v_customers from come;
      delete from reports.movements where customer_id = any (v_customers);
      insert into reports.movements select * from reports.compute_movements(v_customers);
    end if;
  end if;
  insert into reports.progress (part, done_until, seconds)
  values ('subscriptions', v_until, extract(epoch from clock_timestamp() - v_began))
  on conflict (part) do update set done_until = excluded.done_until, seconds = excluded.seconds;
  return v_count;
end
$$;

-- One definition of monthly revenue: the mirror's own column knew neither packages nor discounts nor invoices.
-- squawk-ignore ban-drop-column
alter table stripe_mirror.subscriptions drop column monthly_amount;
-- squawk-ignore ban-drop-function
drop function stripe_mirror.monthly(jsonb);
-- squawk-ignore ban-drop-function
drop function reports.period_amount(jsonb);
-- squawk-ignore ban-drop-function
drop function reports.item_amount(jsonb);

-- The next refresh computes every state.
update reports.progress set done_until = '-infinity' where part = 'subscriptions';
