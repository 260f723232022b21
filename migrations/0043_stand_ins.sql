-- Stand-ins for e-mail addresses in the documented views: equal addresses have equal stand-ins, different addresses have
-- different ones, so that joins, unique addresses and lookups hold. Whoever lacks the key cannot compute or reverse them.

-- The key of this database. It never changes: the indexes below hold values made with it.
create table core.stand_in_key (
  only_one boolean primary key default true,
  key bytea not null,
  created_at timestamptz not null default now(),
  constraint stand_in_key_is_single check (only_one),
  constraint stand_in_key_is_long check (length(key) = 32)
);
insert into core.stand_in_key (key)
values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- The stand-in of an address: its first letter, 16 digits of a keyed hash, its domain. Letter case does not matter. Immutable
-- because the key is: expression indexes and lookups through views depend on it. Null for null.
create function core.stand_in(p_email text) returns text
language plpgsql immutable strict parallel safe security definer
set search_path = pg_catalog, pg_temp as $$
declare
  v_email text := lower(p_email);
  v_key bytea;
  v_hash text;
begin
  select key into strict v_key from core.stand_in_key;
  v_hash := encode(sha256(v_key || sha256(v_key || textsend(v_email))), 'hex');
  return left(v_email, 1) || '***-' || left(v_hash, 16)
         || case when position('@' in v_email) > 0 then substring(v_email from '@[^@]*$') else '' end;
end
$$;

-- squawk-ignore require-concurrent-index-creation
create index accounts_by_stand_in on accounts.accounts (core.stand_in(email));
-- squawk-ignore require-concurrent-index-creation
create index customers_by_stand_in on stripe_mirror.customers (core.stand_in(email));
-- squawk-ignore require-concurrent-index-creation
create index identities_by_subject on accounts.identities (subject);
-- squawk-ignore require-concurrent-index-creation
create index files_by_storage_id on media.files (storage_key);
-- squawk-ignore require-concurrent-index-creation
create index files_of_category on media.files (category, id);
-- squawk-ignore require-concurrent-index-creation
create index generations_of_status on studio.generations (status, created_at);
-- squawk-ignore require-concurrent-index-creation
create index generations_by_time on studio.generations (account_id, created_at);
-- The expressions are those of the view doc_style_studio."tokenPurchases".
-- squawk-ignore require-concurrent-index-creation
create index payments_by_intent on payments.payments
  ((case when gateway = 'stripe' and reference like 'pi\_%' then reference end));
-- squawk-ignore require-concurrent-index-creation
create index payments_by_track on payments.payments (track_id);

create or replace view doc_cogento.users as
select user_id,
       core.stand_in(email)::varchar as email,
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

-- A subscription refers to a user that the view shows: neither before its customer arrived nor after it was deleted.
create or replace view doc_cogento.subscriptions as
select md5('stripe subscription ' || s.id)::uuid as subscription_id,
       s.id::varchar as stripe_subscription_id,
       c.user_id,
       s.product_id::varchar as product_id,
       s.status::varchar as status,
       s.current_period_start,
       s.current_period_end,
       s.metadata,
       s.synced_at
  from stripe_mirror.subscriptions s join stripe_mirror.customers c on c.id = s.customer_id
 where s.deleted_at is null and c.deleted_at is null;

create or replace view doc_cogento.user_roles as
select c.user_id, r.role::varchar as role, r.created_at
  from accounts.user_roles r
  join stripe_mirror.links l on l.account_id = r.account_id
  join stripe_mirror.customers c on c.id = l.customer_id
 where c.deleted_at is null;

-- The functions by which a report finds a person by the real address: where email = stand_in('ada@example.com').
create function doc_cogento.stand_in(p_email text) returns text language sql immutable strict parallel safe
  return core.stand_in(p_email);
create function doc_style_studio.stand_in(p_email text) returns text language sql immutable strict parallel safe
  return core.stand_in(p_email);

-- externalId is the subject at the provider with which the account was first used. Erased accounts are not listed.
create or replace view doc_style_studio.users as
select a.id as "_id",
       core.stand_in(a.email) as email,
       reports.masked_name(u.name) as name,
       i.subject as "externalId",
       coalesce(w.balance, 0) as tokens,
       coalesce(w.balance, 0) as "tokenBalance",
       coalesce((select sum(g.quantity)::bigint from wallet.grants g
                  where g.account_id = a.id and g.asset = 'token' and g.source = 'purchase'), 0) as "totalTokensPurchased"
  from accounts.accounts a
  left join accounts.users u on u.account_id = a.id
  left join accounts.identities i on i.account_id = a.id and not exists (
    select from accounts.identities e
     where e.account_id = i.account_id and (e.created_at, e.issuer, e.subject) < (i.created_at, i.issuer, i.subject))
  left join wallet.wallets w on w.account_id = a.id and w.asset = 'token'
 where a.erased_at is null;

-- Payments outlive their account; the owner of those of an erased account is null. What was given up (cancelled, expired) is
-- failed in the document's words; what is disputed is completed until it is decided.
create or replace view doc_style_studio."tokenPurchases" as
select p.id as "_id",
       a.id as "userId",
       p.amount,
       p.quantity as tokens,
       case p.status when 'cancelled' then 'failed' when 'expired' then 'failed' when 'disputed' then 'completed'
                     else p.status end as status,
       case when p.gateway = 'stripe' and p.reference like 'pi\_%' then p.reference end as "stripePaymentIntentId",
       p.track_id as "transactionId"
  from payments.payments p
  left join accounts.accounts a on a.id = p.account_id and a.erased_at is null
 where p.kind = 'tokens';

-- References have the document's names. Records of an erased account, and of the site itself, have no owner.
create or replace view doc_style_studio.usage as
select u.id as "_id",
       a.id as "userId",
       u.action,
       u.at as timestamp,
       (u.metadata - '{generation_id,payment_id,file_id}'::text[]) || jsonb_strip_nulls(jsonb_build_object(
         'generationId', u.metadata -> 'generation_id',
         'tokenPurchaseId', u.metadata -> 'payment_id',
         'fileId', u.metadata -> 'file_id')) as metadata
  from core.usage u
  left join accounts.accounts a on a.id = u.account_id and a.erased_at is null;

-- squawk-ignore ban-drop-function
drop function reports.masked_email(text);
