-- Notifications: what an account should learn of, from all modules, in one place.
--
-- A row is one event of one account that caused it (null: the site). Rows with the same kind and subject are one group, "Ada and
-- 12 others liked your post"; a group is read from its rows, so that no two events wait for the same row.
create schema notifications;

create table notifications.notifications (
  account_id uuid not null,
  id uuid not null,
  kind text not null,
  subject text not null default '',
  actor_account_id uuid,
  details jsonb not null default '{}',
  is_listed boolean not null default true,
  read_at timestamptz,
  pushed_at timestamptz,
  mailed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint notification_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint notification_caused_by_account foreign key (actor_account_id) references accounts.accounts (id),
  constraint notification_kind_length check (length(kind) between 1 and 60),
  constraint notification_subject_length check (length(subject) <= 200),
  constraint notification_recorded_once unique nulls not distinct (account_id, kind, subject, actor_account_id)
);
create trigger notifications_touch before update on notifications.notifications for each row execute function core.touch();
create index notifications_of_group on notifications.notifications (account_id, kind, subject, id) where is_listed;
create index notifications_listed on notifications.notifications (account_id, id) where is_listed;
create index notifications_unread on notifications.notifications (account_id, id) where read_at is null and is_listed;
create index notifications_by_actor on notifications.notifications (actor_account_id) where actor_account_id is not null;
create index notifications_to_push on notifications.notifications (account_id, id) where pushed_at is null;
create index notifications_by_time on notifications.notifications (created_at);

create table notifications.preferences (
  account_id uuid not null,
  kind text not null,
  channel text not null,
  is_on boolean not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, kind, channel),
  constraint preference_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint preference_channel_known check (channel in ('app', 'mail', 'push'))
);
create trigger preferences_touch before update on notifications.preferences for each row execute function core.touch();

-- An account's daily mail: whether it has stopped it by the link in a mail, and when the last one was written.
create table notifications.digests (
  account_id uuid primary key,
  is_stopped boolean not null default false,
  sent_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint digest_belongs_to_account foreign key (account_id) references accounts.accounts (id)
);
create trigger digests_touch before update on notifications.digests for each row execute function core.touch();

-- Browsers that an account has asked to show notifications (RFC 8030).
create table notifications.push_subscriptions (
  account_id uuid not null,
  id uuid not null,
  endpoint text not null,
  p256dh text not null,
  auth text not null,
  device text not null default '',
  last_success_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint push_subscription_belongs_to_account foreign key (account_id) references accounts.accounts (id),
  constraint push_endpoint_length check (length(endpoint) between 9 and 1000),
  constraint push_key_length check (length(p256dh) between 80 and 100 and length(auth) between 16 and 40),
  constraint push_endpoint_subscribed_once unique (endpoint)
);
create trigger push_subscriptions_touch before update on notifications.push_subscriptions for each row execute function core.touch();

-- Records events: items of {account_id, kind, subject, actor_account_id, details, repeats}. The account that caused an event gets
-- none of it. An event that was recorded before counts as new again where it `repeats` (a message), else changes nothing (a like).
-- Rows are written in one order, so that two batches never wait for each other.
create function notifications.notify(p_items jsonb) returns void language plpgsql as $$
declare
  v_account uuid;
begin
  for v_account in
    with item as (
      select distinct on (i.account_id, i.kind, coalesce(i.subject, ''), i.actor_account_id)
             i.account_id, i.kind, coalesce(i.subject, '') as subject, i.actor_account_id,
             coalesce(i.details, '{}') as details, coalesce(i.repeats, true) as repeats
        from jsonb_to_recordset(p_items) as i (account_id uuid, kind text, subject text, actor_account_id uuid, details jsonb,
                                               repeats boolean)
        join accounts.accounts a on a.id = i.account_id and a.is_active and a.erased_at is null
       where i.account_id is distinct from i.actor_account_id
       order by i.account_id, i.kind, coalesce(i.subject, ''), i.actor_account_id),
    written as (
      insert into notifications.notifications as n (account_id, id, kind, subject, actor_account_id, details, is_listed)
      select i.account_id, core.new_id(), i.kind, i.subject, i.actor_account_id, i.details,
             coalesce((select p.is_on from notifications.preferences p
                        where p.account_id = i.account_id and p.kind = i.kind and p.channel = 'app'), true)
        from item i
       where i.repeats or not exists (
               select from notifications.notifications b
                where b.account_id = i.account_id and b.kind = i.kind and b.subject = i.subject
                  and b.actor_account_id is not distinct from i.actor_account_id)
       order by i.account_id, i.kind, i.subject, i.actor_account_id
      on conflict (account_id, kind, subject, actor_account_id) do update
        set id = excluded.id, details = excluded.details, is_listed = excluded.is_listed, created_at = excluded.created_at,
            read_at = null, pushed_at = null, mailed_at = null
      returning n.account_id)
    select distinct w.account_id from written w
  loop
    perform pg_notify('notifications', json_build_object('account_id', v_account)::text);
    if exists (select from notifications.push_subscriptions s where s.account_id = v_account) then
      perform core.enqueue('notifications.push', jsonb_build_object('account_id', v_account), 'push', 0,
                           'notifications.push/' || v_account);
    end if;
  end loop;
end
$$;

-- Deletes what no longer holds, such as a like that was taken back: items of {account_id, kind, subject, actor_account_id}; without
-- an actor all of that kind and subject.
create function notifications.withdraw(p_items jsonb) returns void language sql as $$
  delete from notifications.notifications n
   using jsonb_to_recordset(p_items) as i (account_id uuid, kind text, subject text, actor_account_id uuid)
   where n.account_id = i.account_id and n.kind = i.kind and n.subject = i.subject
     and (i.actor_account_id is null or n.actor_account_id = i.actor_account_id)
$$;

-- Deletes all that an account was notified of another, such as after a block.
create function notifications.withdraw_actor(p_account uuid, p_actor uuid) returns void language sql as $$
  delete from notifications.notifications where account_id = p_account and actor_account_id = p_actor
$$;

insert into core.settings (key, value, description) values
  ('notifications.kept_days', '90', 'Days after which notifications are deleted.');
