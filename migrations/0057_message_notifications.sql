-- An account is notified of a conversation when it becomes unread, once however many messages follow, and no longer when it
-- has read it.
create function messaging.notify_unread() returns trigger language plpgsql as $$
begin
  perform notifications.notify(jsonb_agg(jsonb_build_object(
            'account_id', p.account_id, 'kind', case p.status when 'requested' then 'message_request' else 'message' end,
            'subject', p.conversation_id, 'actor_account_id', m.account_id)))
     from changed p
     join before b on b.account_id = p.account_id and b.conversation_id = p.conversation_id
     join messaging.conversations c on c.id = p.conversation_id
     join messaging.messages m on m.conversation_id = c.id and m.position = c.last_position
    where b.unread = 0 and p.unread > 0 and not p.is_muted and p.status in ('active', 'requested')
      and m.account_id <> p.account_id and not gallery.is_quiet(p.account_id, m.account_id)
   having count(*) > 0;
  perform notifications.withdraw(jsonb_agg(jsonb_build_object(
            'account_id', p.account_id, 'kind', k.kind, 'subject', p.conversation_id)))
     from changed p
     join before b on b.account_id = p.account_id and b.conversation_id = p.conversation_id
    cross join (values ('message'), ('message_request')) k (kind)
    where (b.unread > 0 and p.unread = 0) or (k.kind = 'message_request' and b.status = 'requested' and p.status <> 'requested')
   having count(*) > 0;
  return null;
end
$$;
create trigger participants_notified after update on messaging.participants
  referencing old table as before new table as changed
  for each statement execute function messaging.notify_unread();
