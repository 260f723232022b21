-- Uploads of an account by day (UTC), and the gallery document's tables under its own names.
create table media.daily_uploads (
  account_id uuid not null,
  day date not null,
  count integer not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, day),
  constraint daily_uploads_positive check (count > 0),
  constraint daily_uploads_belong_to_account foreign key (account_id) references accounts.accounts (id)
);
create trigger daily_uploads_touch before update on media.daily_uploads for each row execute function core.touch();

insert into core.settings (key, value, description) values
  ('limits.daily_uploads', '{"count": 100, "seconds": 86400}', 'Pictures that one account uploads in a day (UTC).');

create schema doc_gallery;

-- An account under the document's names is the subject at its first identity provider, else its id; and its primary Stripe
-- customer, else its id. The views say so themselves: a function would run with the rights of the role that reads them.
create view doc_gallery.cognito_users as
select coalesce((select i.subject from accounts.identities i where i.account_id = a.id order by i.created_at, i.subject limit 1),
                a.id::text) as sub, reports.masked_name(coalesce(u.name, v.business_name)) as name, core.stand_in(a.email) as email,
       coalesce((select k.customer_id from stripe_mirror.links k where k.account_id = a.id and k.is_primary), a.id::text) as customer_id, a.created_at
  from accounts.accounts a
  left join accounts.users u on u.account_id = a.id
  left join accounts.vendors v on v.account_id = a.id
 where a.erased_at is null;

create view doc_gallery.stripe_customers as
select l.customer_id, coalesce((select i.subject from accounts.identities i where i.account_id = l.account_id order by i.created_at, i.subject limit 1),
                l.account_id::text) as aws_sub, v.business_name as display_name, l.created_at
  from stripe_mirror.links l
  left join accounts.vendors v on v.account_id = l.account_id
 where l.is_primary;

create view doc_gallery.gallery_posts as
select p.id, coalesce((select k.customer_id from stripe_mirror.links k where k.account_id = p.account_id and k.is_primary), p.account_id::text) as customer_id, p.title, p.body as description, p.tags, p.status, p.visibility,
       p.published_at, p.created_at
  from gallery.posts p
 where p.deleted_at is null;

create view doc_gallery.posts_imgs as
select i.post_id, i.file_id, i.position, i.alt, '/media/' || i.account_id || '/' || i.file_id || '/original' as url, i.created_at
  from gallery.post_images i
  join gallery.posts p on p.account_id = i.account_id and p.id = i.post_id
 where p.deleted_at is null;

create view doc_gallery.followers as
select coalesce((select i.subject from accounts.identities i where i.account_id = f.account_id order by i.created_at, i.subject limit 1),
                f.account_id::text) as follower_id, coalesce((select i.subject from accounts.identities i where i.account_id = f.followed_account_id order by i.created_at, i.subject limit 1),
                f.followed_account_id::text) as followed_id, f.created_at
  from gallery.follows f where f.is_approved;

create view doc_gallery.likes as
select coalesce((select i.subject from accounts.identities i where i.account_id = l.account_id order by i.created_at, i.subject limit 1),
                l.account_id::text) as user_sub, l.post_id, l.created_at
  from gallery.likes l
  join gallery.posts p on p.account_id = l.post_account_id and p.id = l.post_id
 where p.deleted_at is null;

create view doc_gallery.image_uploads as
select coalesce((select k.customer_id from stripe_mirror.links k where k.account_id = d.account_id and k.is_primary), d.account_id::text) as customer_id, d.day as upload_date, d.count as upload_count from media.daily_uploads d;

create view doc_gallery.subscriptions as
select s.id as subscription_id, s.customer_id, s.status, s.price_id, s.product_id, s.current_period_start, s.current_period_end,
       s.cancel_at_period_end
  from stripe_mirror.subscriptions s where s.deleted_at is null;

create view doc_gallery.invoices as
select i.id as invoice_id, i.customer_id, i.subscription_id, i.status, i.currency, i.total, i.amount_paid, i.paid_at
  from stripe_mirror.invoices i where i.deleted_at is null;

create view doc_gallery.webhook_events as
select w.event_id, w.type, w.outcome, w.attempts, w.error, w.created_at from payments.webhook_events w;

create view doc_gallery.failed_transactions as
select t.id, coalesce((select k.customer_id from stripe_mirror.links k where k.account_id = t.account_id and k.is_primary), t.account_id::text) as customer_id, t.gateway, t.ref, t.amount, t.currency, t.code, t.reason, t.failed_at
  from payments.failed_transactions t;
