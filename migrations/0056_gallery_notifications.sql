-- What the gallery notifies accounts of. Each statement that writes rows notifies once for all of them.

-- Whether an account is not to learn what another does: it muted the other, or either blocked the other.
create function gallery.is_quiet(p_account uuid, p_actor uuid) returns boolean language sql stable as $$
  select gallery.blocked(p_account, p_actor)
      or exists (select from gallery.mutes m where m.account_id = p_account and m.muted_account_id = p_actor)
$$;

create function gallery.notify_likes() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_agg(jsonb_build_object(
            'account_id', r.post_account_id, 'kind', 'like', 'subject', r.post_account_id || '/' || r.post_id,
            'actor_account_id', r.account_id, 'repeats', false)))
     from changed r where r.account_id <> r.post_account_id and not gallery.is_quiet(r.post_account_id, r.account_id)
   having count(*) > 0;
  return null;
end
$$;
create trigger likes_notified after insert on gallery.likes referencing new table as changed
  for each statement execute function gallery.notify_likes();

create function gallery.withdraw_likes() returns trigger language plpgsql as $$
begin
  perform notifications.withdraw(jsonb_agg(jsonb_build_object(
            'account_id', r.post_account_id, 'kind', 'like', 'subject', r.post_account_id || '/' || r.post_id,
            'actor_account_id', r.account_id)))
     from changed r having count(*) > 0;
  return null;
end
$$;
create trigger likes_withdrawn after delete on gallery.likes referencing old table as changed
  for each statement execute function gallery.withdraw_likes();

-- The post's owner, and the author of the comment that is answered.
create function gallery.notify_comments() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_agg(jsonb_build_object(
            'account_id', r.recipient, 'kind', r.kind, 'subject', r.post_account_id || '/' || r.post_id,
            'actor_account_id', r.account_id)))
     from (select c.*, c.post_account_id as recipient, 'comment' as kind from changed c
            where c.post_account_id is distinct from c.parent_account_id
           union all
           select c.*, c.parent_account_id, 'answer' from changed c where c.parent_account_id is not null) r
    where r.account_id <> r.recipient and not gallery.is_quiet(r.recipient, r.account_id)
   having count(*) > 0;
  return null;
end
$$;
create trigger comments_notified after insert on gallery.comments referencing new table as changed
  for each statement execute function gallery.notify_comments();

create function gallery.notify_follows() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform notifications.notify(jsonb_agg(jsonb_build_object(
              'account_id', r.followed_account_id, 'kind', case when r.is_approved then 'follow' else 'follow_request' end,
              'actor_account_id', r.account_id, 'repeats', not r.is_approved)))
       from changed r where not gallery.is_quiet(r.followed_account_id, r.account_id)
     having count(*) > 0;
  else  -- a follow changes only by its approval
    perform notifications.notify(jsonb_agg(jsonb_build_object(
              'account_id', r.account_id, 'kind', 'follow_approved', 'actor_account_id', r.followed_account_id))),
            notifications.withdraw(jsonb_agg(jsonb_build_object(
              'account_id', r.followed_account_id, 'kind', 'follow_request', 'subject', '', 'actor_account_id', r.account_id)))
       from changed r having count(*) > 0;
  end if;
  return null;
end
$$;
create trigger follows_notified after insert on gallery.follows referencing new table as changed
  for each statement execute function gallery.notify_follows();
create trigger follows_notified_when_approved after update on gallery.follows referencing new table as changed
  for each statement execute function gallery.notify_follows();

create function gallery.withdraw_follows() returns trigger language plpgsql as $$
begin
  perform notifications.withdraw(jsonb_agg(jsonb_build_object(
            'account_id', r.followed_account_id, 'kind', k.kind, 'subject', '', 'actor_account_id', r.account_id)))
     from changed r cross join (values ('follow'), ('follow_request')) k (kind) having count(*) > 0;
  return null;
end
$$;
create trigger follows_withdrawn after delete on gallery.follows referencing old table as changed
  for each statement execute function gallery.withdraw_follows();

create function gallery.withdraw_blocked() returns trigger language plpgsql as $$
begin
  perform notifications.withdraw_actor(r.account_id, r.blocked_account_id),
          notifications.withdraw_actor(r.blocked_account_id, r.account_id)
     from changed r;
  return null;
end
$$;
create trigger blocks_withdraw_notifications after insert on gallery.blocks referencing new table as changed
  for each statement execute function gallery.withdraw_blocked();
