-- The tables of Style Studio AI under their documented names.

create schema doc_style_studio;

-- externalId is the subject at the provider by which somebody first came.
create view doc_style_studio.users as
select a.id as "_id",
       reports.masked_email(a.email) as email,
       reports.masked_name(u.name) as name,
       (select i.subject from accounts.identities i where i.account_id = a.id order by i.created_at, i.issuer limit 1)
         as "externalId",
       coalesce(w.balance, 0) as tokens,
       coalesce(w.balance, 0) as "tokenBalance",
       coalesce((select sum(g.quantity)::bigint from wallet.grants g
                  where g.account_id = a.id and g.asset = 'token' and g.source = 'purchase'), 0) as "totalTokensPurchased"
  from accounts.accounts a
  left join accounts.users u on u.account_id = a.id
  left join wallet.wallets w on w.account_id = a.id and w.asset = 'token';

create view doc_style_studio.generations as
select g.id as "_id",
       g.account_id as "userId",
       g.status,
       g.prompt,
       g.parameters,
       array(select f.file_id from studio.generation_files f where f.account_id = g.account_id and f.generation_id = g.id
                and f.role = 'product' and f.file_id is not null order by f.position) as "productImageFiles",
       array(select f.file_id from studio.generation_files f where f.account_id = g.account_id and f.generation_id = g.id
                and f.role = 'model' and f.file_id is not null order by f.position) as "modelImageFiles",
       array(select f.file_id from studio.generation_files f where f.account_id = g.account_id and f.generation_id = g.id
                and f.role = 'result' and f.file_id is not null order by f.position) as "resultImageFiles",
       g.created_at as "createdAt"
  from studio.generations g;

create view doc_style_studio.files as
select id as "_id", account_id as "userId", category, storage_key as "storageId"
  from media.files
 where category in ('product_image', 'model_image', 'generated_image', 'profile_image');

-- What was given up (cancelled, expired) is failed in the document's words; what is disputed is completed until it is decided.
create view doc_style_studio."tokenPurchases" as
select p.id as "_id",
       p.account_id as "userId",
       p.amount,
       p.quantity as tokens,
       case p.status when 'cancelled' then 'failed' when 'expired' then 'failed' when 'disputed' then 'completed'
                     else p.status end as status,
       (select r.ref from payments.gateway_refs r where r.account_id = p.account_id and r.payment_id = p.id
           and r.gateway = 'stripe' and r.ref like 'pi\_%' limit 1) as "stripePaymentIntentId",
       coalesce(p.reference, p.track_id) as "transactionId"
  from payments.payments p
 where p.kind = 'tokens';

create view doc_style_studio.usage as
select id as "_id", account_id as "userId", action, at as timestamp, metadata
  from core.usage;
