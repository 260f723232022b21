-- One link of account and Stripe customer, with its origin. An account has one primary customer, by which it is charged and
-- reported; further customers of the same person may be linked beside it.
alter table stripe_mirror.links
  add column origin text not null default 'operator',
  add column is_primary boolean not null default false,
  add column updated_at timestamptz not null default now(),
  add constraint link_origin_known check (origin in ('checkout', 'operator', 'import')) not valid;
-- squawk-ignore constraint-missing-not-valid
alter table stripe_mirror.links validate constraint link_origin_known;
create trigger links_touch before update on stripe_mirror.links for each row execute function core.touch();

insert into stripe_mirror.links (account_id, customer_id, origin, is_primary)
select account_id, ref, 'checkout', true from payments.customers where gateway = 'stripe'
on conflict (customer_id) do update set origin = 'checkout', is_primary = true where links.account_id = excluded.account_id;
update stripe_mirror.links l set is_primary = true
  from (select distinct on (account_id) account_id, customer_id from stripe_mirror.links
         order by account_id, is_primary desc, created_at, customer_id) f
 where l.account_id = f.account_id and l.customer_id = f.customer_id and not l.is_primary;
-- squawk-ignore require-concurrent-index-creation
create unique index link_is_primary_once on stripe_mirror.links (account_id) where is_primary;

-- Link the customer that a checkout created for this account, or an import names. It becomes the account's primary customer.
-- A customer that an operator linked to another account stays there.
create function stripe_mirror.link_customer(p_account uuid, p_customer text, p_origin text) returns void
language plpgsql as $$
begin
  if exists (select from stripe_mirror.links where customer_id = p_customer and account_id <> p_account) then
    return;
  end if;
  update stripe_mirror.links set is_primary = false where account_id = p_account and is_primary and customer_id <> p_customer;
  insert into stripe_mirror.links (account_id, customer_id, origin, is_primary) values (p_account, p_customer, p_origin, true)
  on conflict (customer_id) do update set is_primary = true;
end
$$;

create function payments.link_customer() returns trigger
language plpgsql as $$
begin
  if new.gateway = 'stripe' then
    perform stripe_mirror.link_customer(new.account_id, new.ref, 'checkout');
  end if;
  return null;
end
$$;
create trigger customers_link after insert or update of ref on payments.customers
  for each row execute function payments.link_customer();

create or replace view doc_cogento.user_roles as
select c.user_id, r.role::varchar as role, r.created_at
  from accounts.user_roles r
  join stripe_mirror.links l on l.account_id = r.account_id and l.is_primary
  join stripe_mirror.customers c on c.id = l.customer_id
 where c.deleted_at is null;
