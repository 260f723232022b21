-- AI Stayler's tables under the document's names, as read-only views, and generations seen as its conversions.

-- squawk-ignore require-concurrent-index-creation
create index accounts_by_phone_stand_in on accounts.accounts (core.stand_in(phone));
-- squawk-ignore require-concurrent-index-creation
create index vendors_by_profile_info on accounts.vendors using gin (profile_info jsonb_path_ops);
-- squawk-ignore require-concurrent-index-creation
create index vendors_by_social_links on accounts.vendors using gin (social_links jsonb_path_ops);

-- A conversion is a generation from a picture. It is free if its hold drew on a grant of a free plan, else paid: tokens count
-- as paid. Of several pictures the first one is the input.
create view studio.conversions as
select g.account_id, g.id,
       case when exists (
              select from wallet.entries e
                join wallet.grants r on r.account_id = e.account_id and r.id = e.grant_id
                join wallet.periods o on o.account_id = r.account_id and r.key = 'plan:' || r.asset || ':' || o.id
                join wallet.plans p on p.id = o.plan_id and p.price_per_month = 0
               where e.account_id = g.account_id and e.hold_id = g.hold_id and e.kind = 'hold')
            then 'free' else 'paid' end as conversion_type,
       i.file_id as input_file_id, r.file_id as output_file_id, g.style_name,
       case g.status when 'uploading' then 'processing' when 'cancelled' then 'failed' else g.status end as status,
       g.status as generation_status, g.charge_asset, g.cost,
       case g.status when 'cancelled' then coalesce(g.error_message, 'cancelled') else g.error_message end as error_message,
       g.processing_time_ms, r.bytes as file_size_bytes, g.created_at, g.completed_at
  from studio.generations g
  join lateral (
    select f.file_id from studio.generation_files f
     where f.account_id = g.account_id and f.generation_id = g.id and f.role in ('product', 'model')
     order by f.role desc, f.position limit 1) i on true
  left join lateral (
    select f.file_id, m.bytes from studio.generation_files f
      join media.files m on m.account_id = f.account_id and m.id = f.file_id
     where f.account_id = g.account_id and f.generation_id = g.id and f.role = 'result'
     order by f.position limit 1) r on true;

create schema doc_ai_stayler;

create view doc_ai_stayler.payment_plans as
select p.id, p.name, p.display_name, p.description, p.price_per_month as price_per_month_cents, p.monthly_conversions_limit,
       p.monthly_images_limit, p.features, p.is_active, p.created_at, p.updated_at
  from wallet.plans p;

-- What is left of the free plans' grants, by account and asset.
create view wallet.free_allowances as
select g.account_id, g.asset, sum(g.remaining)::bigint as remaining
  from wallet.grants g
  join wallet.periods o on o.account_id = g.account_id and g.key = 'plan:' || g.asset || ':' || o.id
  join wallet.plans p on p.id = o.plan_id and p.price_per_month = 0
 where g.remaining > 0 and g.expires_at > now()
 group by g.account_id, g.asset;

-- Secrets are not shown: a constant stands in the place of hashes and codes. Numbers have stand-ins, as addresses have.
create view doc_ai_stayler.users as
select a.id, core.stand_in(a.phone) as phone, case when a.password_hash is not null then 'hidden' end as password_hash,
       coalesce((select f.remaining from wallet.free_allowances f where f.account_id = a.id and f.asset = 'conversion'), 0)::integer
         as free_quota_remaining,
       m.plan_id, reports.masked_name(u.name) as name, '/media/' || a.id || '/' || p.file_id || '/original' as avatar_url,
       reports.masked_name(u.bio) as bio, a.phone_verified_at is not null as is_phone_verified, a.is_active, a.last_login_at,
       a.created_at, a.updated_at
  from accounts.accounts a
  left join accounts.users u on u.account_id = a.id
  left join wallet.memberships m on m.account_id = a.id
  left join media.portraits p on p.account_id = a.id and p.face = 'avatar'
 where a.kind = 'user' and a.erased_at is null;

create view doc_ai_stayler.vendors as
select a.id, core.stand_in(a.phone) as phone, case when a.password_hash is not null then 'hidden' end as password_hash,
       coalesce((select f.remaining from wallet.free_allowances f where f.account_id = a.id and f.asset = 'image_slot'), 0)::integer
         as free_gallery_remaining,
       m.plan_id, v.profile_info, v.business_name, '/media/' || a.id || '/' || p.file_id || '/original' as avatar_url, v.bio,
       coalesce((select jsonb_object_agg(k, '***') from jsonb_object_keys(v.contact_info) k), '{}') as contact_info,
       v.social_links, v.is_verified, a.is_active, a.last_login_at, a.created_at, a.updated_at
  from accounts.accounts a
  join accounts.vendors v on v.account_id = a.id
  left join wallet.memberships m on m.account_id = a.id
  left join media.portraits p on p.account_id = a.id and p.face = 'logo'
 where a.kind = 'vendor' and a.erased_at is null;

-- Addresses are paths without a signature. The input that was deleted has no id any more.
create view doc_ai_stayler.user_conversions as
select c.id, c.account_id as user_id, c.conversion_type,
       '/media/' || c.account_id || '/' || coalesce(c.input_file_id::text, 'deleted') || '/original' as input_file_url,
       '/media/' || c.account_id || '/' || c.output_file_id || '/original' as output_file_url, c.style_name, c.status,
       c.error_message, c.processing_time_ms, c.file_size_bytes, c.created_at, c.completed_at
  from studio.conversions c
  join accounts.accounts a on a.id = c.account_id and a.kind = 'user' and a.erased_at is null;

create view doc_ai_stayler.images as
select f.id, u.id as user_id, v.id as vendor_id,
       (case when f.category = 'generated_image' then 'result' when u.id is not null then 'user' else 'vendor' end)::varchar(20) as type, f.file_name,
       '/media/' || f.account_id || '/' || f.id || '/original' as original_url,
       case when f.thumbnails <> '{}'
            then '/media/' || f.account_id || '/' || f.id || '/' || (select min(k::integer) from jsonb_object_keys(f.thumbnails) k where k ~ '^[0-9]{1,5}$') end
         as thumbnail_url,
       f.bytes as file_size, f.mime as mime_type, f.width, f.height, f.is_public, f.tags, f.metadata, f.created_at, f.updated_at
  from media.files f
  left join accounts.accounts u on u.id = f.account_id and u.kind = 'user'
  left join accounts.accounts v on v.id = f.account_id and v.kind = 'vendor'
 where f.category <> 'profile_image';

create view doc_ai_stayler.albums as
select b.id, b.account_id as vendor_id, b.name, b.description, b.is_public, b.image_count, b.created_at, b.updated_at
  from media.albums b
  join accounts.accounts a on a.id = b.account_id and a.kind = 'vendor' and a.erased_at is null
 where b.deleted_at is null;

-- Payments outlive their account: the owner is null then.
create view doc_ai_stayler.payments as
select p.id, u.id as user_id, v.id as vendor_id, p.plan_id,
       p.amount, p.currency,
       case p.status when 'disputed' then 'completed' when 'refunded' then 'cancelled' else p.status end as status,
       p.gateway as payment_method, p.gateway, p.track_id as gateway_track_id, p.reference as gateway_ref_number,
       p.card_mask as gateway_card_number, p.description, coalesce(p.callback_url, '') as callback_url,
       coalesce(p.return_url, '') as return_url, p.created_at, p.updated_at, p.paid_at, p.expires_at
  from payments.payments p
  left join accounts.accounts u on u.id = p.account_id and u.kind = 'user' and u.erased_at is null
  left join accounts.accounts v on v.id = p.account_id and v.kind = 'vendor' and v.erased_at is null
 where p.kind = 'plan';

-- The id is made from the key and the window, which are the row's name here.
create view doc_ai_stayler.rate_limits as
select ('x' || left(md5(r.key || ' ' || extract(epoch from r.window_start)), 15))::bit(60)::bigint as id, r.key, r.window_start, r.count
  from core.rate_limits r;

create view doc_ai_stayler.sessions as
select s.id, u.id as user_id, v.id as vendor_id,
       'hidden'::text as refresh_token_hash, s.user_agent, network(set_masklen(s.ip, case family(s.ip) when 4 then 24 else 48 end))::inet as ip,
       s.last_used_at, s.expires_at, s.revoked_at, s.rotation_counter
  from accounts.sessions s
  left join accounts.accounts u on u.id = s.account_id and u.kind = 'user'
  left join accounts.accounts v on v.id = s.account_id and v.kind = 'vendor';

create view doc_ai_stayler.otps as
select v.id, core.stand_in(v.target) as phone, 'hidden'::text as code, v.purpose, v.expires_at, v.consumed_at, v.attempt_count, v.created_at
  from accounts.verifications v
 where v.purpose in ('phone_verify', 'password_reset') and starts_with(v.target, '+');

create view doc_ai_stayler.audit_logs as
select l.id, u.id as user_id, v.id as vendor_id, l.actor_type,
       l.action, l.resource, l.resource_id, l.metadata, l.created_at
  from core.audit_logs l
  left join accounts.accounts u on u.id = l.account_id and u.kind = 'user' and u.erased_at is null
  left join accounts.accounts v on v.id = l.account_id and v.kind = 'vendor' and v.erased_at is null;

create function doc_ai_stayler.stand_in(p_phone text) returns text language sql immutable strict parallel safe
  return core.stand_in(p_phone);
