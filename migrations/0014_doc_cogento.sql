-- What the documents call things. Each schema of views has exactly the tables and columns of one document, under its
-- names; the role vetrina_reporting reads these schemas and nothing else. Personal data is masked in them, so that
-- figures can be shared; what people search by, metadata and ids, is not.

-- A person's address shows its first letter and its domain, which is enough to tell and to count by.
create function reports.masked_email(p text) returns text language sql immutable parallel safe as $$
  select case when position('@' in p) > 0 then left(p, 1) || '***' || substring(p from position('@' in p)) else p end
$$;
create function reports.masked_name(p text) returns text language sql immutable parallel safe as $$
  select left(p, 1) || '***'
$$;
create function reports.masked_phone(p text) returns text language sql immutable parallel safe as $$
  select '***' || right(p, 2)
$$;
-- Of an address the city and the country remain, as Stripe writes them.
create function reports.masked_address(p jsonb) returns jsonb language sql immutable parallel safe as $$
  select case when jsonb_typeof(p) = 'object' then jsonb_build_object('city', p -> 'city', 'country', p -> 'country') end
$$;

create schema doc_cogento;

create view doc_cogento.users as
select user_id,
       reports.masked_email(email)::varchar as email,
       id::varchar as stripe_customer_id,
       reports.masked_name(name)::varchar as name,
       reports.masked_phone(phone)::varchar as phone,
       reports.masked_address(address) as address,
       metadata,
       stripe_created_at,
       case when isfinite(event_at) then event_at end as stripe_updated_at,
       synced_at,
       case when event_id not like '.%' then event_id end::varchar as last_webhook_event_id
  from stripe_mirror.customers
 where deleted_at is null;

create view doc_cogento.subscriptions as
select md5('stripe subscription ' || id)::uuid as subscription_id,
       id::varchar as stripe_subscription_id,
       md5('stripe customer ' || customer_id)::uuid as user_id,
       product_id::varchar as product_id,
       status::varchar as status,
       current_period_start,
       current_period_end,
       metadata,
       synced_at
  from stripe_mirror.subscriptions
 where deleted_at is null;

-- Roles are of accounts; an account is a user of the document when it is linked to a customer.
create view doc_cogento.user_roles as
select md5('stripe customer ' || l.customer_id)::uuid as user_id, r.role::varchar as role, r.created_at
  from accounts.user_roles r join stripe_mirror.links l on l.account_id = r.account_id;
