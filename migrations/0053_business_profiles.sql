-- A subscription at Stripe makes the business profile of the account that its customer is linked to, whichever of account,
-- link and subscription arrives last. Only when it becomes active: a profile that its owner removed does not come back with
-- the next event of the same subscription.
create function accounts.create_business_profiles(p_accounts uuid[]) returns void
language sql as $$
  insert into accounts.vendors (account_id, business_name)
  select a.id, coalesce(u.name, a.handle, 'New business')
    from accounts.accounts a left join accounts.users u on u.account_id = a.id
   where a.id = any (p_accounts) and a.erased_at is null
  on conflict (account_id) do nothing
$$;

create function stripe_mirror.create_business_profiles(p_customers text[]) returns void
language sql as $$
  select accounts.create_business_profiles(array_agg(l.account_id))
    from stripe_mirror.links l
   where l.customer_id = any (p_customers)
     and exists (select from stripe_mirror.subscriptions s
                  where s.customer_id = l.customer_id and s.status in ('active', 'trialing', 'past_due') and s.deleted_at is null)
  having count(*) > 0
$$;

create function stripe_mirror.profile_new_links() returns trigger
language plpgsql as $$
begin
  perform stripe_mirror.create_business_profiles(array[new.customer_id]);
  return null;
end
$$;
create trigger links_create_business_profiles after insert on stripe_mirror.links
  for each row execute function stripe_mirror.profile_new_links();

-- One call a statement: webhooks write subscriptions in batches.
create function stripe_mirror.profile_new_subscriptions() returns trigger
language plpgsql as $$
begin
  perform stripe_mirror.create_business_profiles(array_agg(customer_id))
     from added where status in ('active', 'trialing') having count(*) > 0;
  return null;
end
$$;
create trigger subscriptions_create_business_profiles after insert on stripe_mirror.subscriptions
  referencing new table as added for each statement execute function stripe_mirror.profile_new_subscriptions();

create function stripe_mirror.profile_active_subscriptions() returns trigger
language plpgsql as $$
begin
  perform stripe_mirror.create_business_profiles(array_agg(n.customer_id))
     from changed n join former o on o.id = n.id
    where n.status in ('active', 'trialing') and o.status is distinct from n.status and o.status is distinct from 'past_due'
   having count(*) > 0;
  return null;
end
$$;
create trigger subscriptions_activate_business_profiles after update on stripe_mirror.subscriptions
  referencing old table as former new table as changed for each statement
  execute function stripe_mirror.profile_active_subscriptions();

select stripe_mirror.create_business_profiles(array_agg(customer_id)) from stripe_mirror.links having count(*) > 0;

-- What failed at Stripe without a checkout of ours is a failed transaction too: charges, and invoices whose payment was tried.
create or replace view doc_gallery.failed_transactions as
select t.id, coalesce((select k.customer_id from stripe_mirror.links k where k.account_id = t.account_id and k.is_primary),
                      t.account_id::text) as customer_id, t.gateway, t.ref, t.amount, t.currency, t.code, t.reason, t.failed_at
  from payments.failed_transactions t
union all
select md5('stripe charge ' || c.id)::uuid, c.customer_id, 'stripe', c.id, c.amount, upper(c.currency), c.failure_code,
       coalesce(c.data ->> 'failure_message', c.failure_code, 'failed'), c.stripe_created_at
  from stripe_mirror.charges c
 where c.status = 'failed' and c.deleted_at is null
   and not exists (select from payments.failed_transactions t where t.ref in (c.id, c.payment_intent_id, c.invoice_id))
union all
select md5('stripe invoice ' || i.id)::uuid, i.customer_id, 'stripe', i.id, i.amount_remaining, upper(i.currency),
       'invoice_payment_failed', 'The payment of an invoice failed', coalesce(i.due_date, i.stripe_created_at)
  from stripe_mirror.invoices i
 where i.status in ('open', 'uncollectible') and i.attempt_count > 0 and i.amount_remaining > 0 and i.deleted_at is null
   and not exists (select from payments.failed_transactions t where split_part(t.ref, '/', 1) = i.id)
   and not exists (select from stripe_mirror.charges c where c.invoice_id = i.id and c.status = 'failed' and c.deleted_at is null);
