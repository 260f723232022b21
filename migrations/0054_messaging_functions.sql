-- What accounts do with conversations: start, add, send, edit, mark as read, step out. Each locks the conversation first.
-- The conversation of a pair, made if there is none; null if the other account is not there or one blocks the other. An
-- account that does not follow the one that starts is asked first.
create function messaging.start_direct(p_account uuid, p_other uuid, p_id uuid) returns uuid language plpgsql as $$
declare
  v_id uuid;
begin
  if p_account = p_other or gallery.blocked(p_account, p_other)
     or not exists (select from accounts.accounts a where a.id = p_other and a.is_active and a.erased_at is null) then
    return null;
  end if;
  insert into messaging.conversations (id, account_id, kind, low_account_id, high_account_id)
  values (p_id, p_account, 'direct', least(p_account, p_other), greatest(p_account, p_other))
  on conflict on constraint conversation_of_a_pair do nothing;
  select c.id into v_id from messaging.conversations c
   where c.low_account_id = least(p_account, p_other) and c.high_account_id = greatest(p_account, p_other) for no key update;
  insert into messaging.participants (account_id, conversation_id, status)
  values (p_account, v_id, 'active'),
         (p_other, v_id, case when gallery.follows_account(p_other, p_account) then 'active' else 'requested' end)
  on conflict (account_id, conversation_id) do nothing;
  update messaging.participants p set status = 'active', unread = messaging.count_unread(p)
   where p.account_id = p_account and p.conversation_id = v_id and p.status <> 'active';
  return v_id;
end
$$;

-- Adds accounts to a group; false, and nothing is added, if one is not there or one of the two blocks the other.
create function messaging.add_participants(p_account uuid, p_conversation uuid, p_others uuid[], p_sort uuid) returns boolean
language plpgsql as $$
declare
  v_last bigint;
begin
  if exists (select from unnest(p_others) as o (id)
              where gallery.blocked(p_account, o.id) or not exists (
                    select from accounts.accounts a where a.id = o.id and a.is_active and a.erased_at is null)) then
    return false;
  end if;
  select c.last_position into v_last from messaging.conversations c where c.id = p_conversation for no key update;
  insert into messaging.participants as p (account_id, conversation_id, status, read_position, from_position, sort_id)
  select o.id, p_conversation, case when gallery.follows_account(o.id, p_account) then 'active' else 'requested' end,
         v_last, v_last, p_sort
    from (select distinct id from unnest(p_others) as i (id) where i.id <> p_account) o
   order by o.id
  on conflict (account_id, conversation_id) do update
     set status = excluded.status, read_position = v_last, from_position = v_last, unread = 0, is_hidden = false, sort_id = p_sort
   where p.status = 'left';
  if (select count(*) from messaging.participants p where p.conversation_id = p_conversation and p.status <> 'left') > 50 then
    raise exception 'too many participants' using errcode = 'check_violation', constraint = 'conversation_participants_few';
  end if;
  perform messaging.announce(p_conversation, null);
  return true;
end
$$;

-- Sends many messages in one statement: one answer for each, in order, {"outcome": "created" | "replayed", "position"} or
-- {"refused"}. Conversations are locked in one order; what is refused affects no other.
create function messaging.send_many(p_items jsonb) returns jsonb[] language plpgsql as $$
declare
  v_item record;
  v_place record;
  v_sent record;
  v_refused text;
  v_position bigint;
  v_answers jsonb[] := '{}';
  v_announced jsonb := '{}';
begin
  perform from messaging.conversations c
   where c.id in (select p.conversation_id from jsonb_to_recordset(p_items) as i (account_id uuid, conversation_id uuid)
                    join messaging.participants p on p.account_id = i.account_id and p.conversation_id = i.conversation_id)
   order by c.id for no key update;
  for v_item in select * from jsonb_to_recordset(p_items) as i (account_id uuid, conversation_id uuid, id uuid, sort_id uuid,
                  body text, hash text, file_ids uuid[], subject_kind text, subject_id text) loop
    v_refused := null;
    v_position := null;
    select p.status, c.kind, o.account_id as other, o.status as other_status into v_place
      from messaging.own_place(v_item.account_id, v_item.conversation_id) p
      join messaging.conversations c on c.id = p.conversation_id
      left join messaging.participants o on c.kind = 'direct' and o.conversation_id = c.id and o.account_id <> p.account_id;
    if not found then
      v_answers := v_answers || '{"refused": "not-found"}'::jsonb;
      continue;
    end if;
    select m.position, m.request_hash = decode(v_item.hash, 'hex') as is_same into v_sent
      from messaging.messages m where m.account_id = v_item.account_id and m.id = v_item.id;
    if found then
      v_answers := v_answers || case when v_sent.is_same then jsonb_build_object('outcome', 'replayed', 'position', v_sent.position)
                                     else '{"refused": "key-reused"}' end;
      continue;
    end if;
    if v_place.kind = 'direct' then
      v_refused := messaging.refuse_direct(v_item.account_id, v_item.conversation_id, v_place.other, v_place.other_status,
                                           cardinality(v_item.file_ids));
    end if;
    if v_refused is null and cardinality(v_item.file_ids) <> (
         select count(*) from media.files f where f.account_id = v_item.account_id and f.id = any(v_item.file_ids)) then
      v_refused := 'unknown-image';
    end if;
    if v_refused is not null then
      v_answers := v_answers || jsonb_build_object('refused', v_refused);
      continue;
    end if;
    update messaging.conversations c set last_change = c.last_change + 1, last_position = c.last_change + 1
     where c.id = v_item.conversation_id returning c.last_position into v_position;
    insert into messaging.messages (account_id, id, conversation_id, position, change, body, subject_kind, subject_id, request_hash)
    values (v_item.account_id, v_item.id, v_item.conversation_id, v_position, v_position, v_item.body, v_item.subject_kind,
            v_item.subject_id, decode(v_item.hash, 'hex'));
    if cardinality(v_item.file_ids) > 0 then
      insert into messaging.message_images (account_id, message_id, position, file_id)
      select v_item.account_id, v_item.id, f.n, f.id from unnest(v_item.file_ids) with ordinality as f (id, n);
    end if;
    update messaging.participants p
       set sort_id = v_item.sort_id, is_hidden = false, hidden_at = null,
           unread = p.unread + (p.account_id <> v_item.account_id)::integer,
           read_position = case when p.account_id = v_item.account_id and p.unread = 0 then v_position else p.read_position end,
           status = case when p.account_id = v_item.account_id then 'active' else p.status end
     where p.conversation_id = v_item.conversation_id and p.status in ('active', 'requested');
    v_announced := v_announced || jsonb_build_object(v_item.conversation_id::text, v_position);
    v_answers := v_answers || jsonb_build_object('outcome', 'created', 'position', v_position);
  end loop;
  perform messaging.announce(a.key::uuid, a.value::bigint) from jsonb_each_text(v_announced) a;
  return v_answers;
end
$$;

-- Why an account may not write to the other of a pair; null if it may. Until the other accepts, it may write three texts.
create function messaging.refuse_direct(p_account uuid, p_conversation uuid, p_other uuid, p_status text, p_images integer)
returns text language plpgsql as $$
begin
  if not exists (select from accounts.accounts a where a.id = p_other and a.is_active and a.erased_at is null) or p_status = 'left' then
    return 'account-unreachable';
  end if;
  if p_status = 'requested' and gallery.follows_account(p_other, p_account) then
    update messaging.participants p set status = 'active' where p.account_id = p_other and p.conversation_id = p_conversation;
    return null;
  end if;
  if p_status <> 'active' and (p_images > 0 or 3 <= (
       select count(*) from messaging.messages m where m.conversation_id = p_conversation and m.account_id = p_account)) then
    return 'request-pending';
  end if;
  return null;
end
$$;

-- Edits (a text) or deletes (null) one's own message within some seconds: "changed", "too-late" or "not-found".
create function messaging.change_message(p_account uuid, p_conversation uuid, p_position bigint, p_body text, p_seconds integer)
returns text language plpgsql as $$
declare
  v_message messaging.messages;
  v_change bigint;
begin
  perform from messaging.conversations c
   where c.id in (select p.conversation_id from messaging.own_place(p_account, p_conversation) p) for no key update;
  if not found then
    return 'not-found';
  end if;
  select * into v_message from messaging.messages m
   where m.conversation_id = p_conversation and m.position = p_position and m.account_id = p_account and m.deleted_at is null;
  if not found then
    return 'not-found';
  end if;
  if v_message.created_at < now() - make_interval(secs => p_seconds) then
    return 'too-late';
  end if;
  update messaging.conversations c set last_change = c.last_change + 1 where c.id = p_conversation returning c.last_change into v_change;
  update messaging.messages m
     set change = v_change, body = coalesce(p_body, ''),
         edited_at = case when p_body is null then m.edited_at else now() end,
         deleted_at = case when p_body is null then now() end,
         subject_kind = case when p_body is not null then m.subject_kind end,
         subject_id = case when p_body is not null then m.subject_id end
   where m.account_id = p_account and m.id = v_message.id;
  if p_body is null then
    delete from messaging.message_images i where i.account_id = p_account and i.message_id = v_message.id;
    update messaging.participants p set unread = p.unread - 1
     where p.conversation_id = p_conversation and p.account_id <> p_account and p.status in ('active', 'requested')
       and greatest(p.read_position, p.from_position) < p_position;
  end if;
  perform messaging.announce(p_conversation, v_change);
  return 'changed';
end
$$;

-- Marks messages up to a position as read; false if the account takes no part.
create function messaging.mark_read(p_account uuid, p_conversation uuid, p_position bigint) returns boolean language plpgsql as $$
declare
  v_last bigint;
begin
  select c.last_position into v_last from messaging.conversations c
   where c.id in (select p.conversation_id from messaging.own_place(p_account, p_conversation) p) for no key update;
  if not found then
    return false;
  end if;
  update messaging.participants p set read_position = least(p_position, v_last)
   where p.account_id = p_account and p.conversation_id = p_conversation and p.read_position < least(p_position, v_last);
  if found then
    update messaging.participants p set unread = messaging.count_unread(p)
     where p.account_id = p_account and p.conversation_id = p_conversation;
    perform messaging.announce(p_conversation, null, p.account_id) from messaging.participants p
     where p.conversation_id = p_conversation and p.status = 'active';
  end if;
  return true;
end
$$;

-- Deletes a conversation of which nobody has anything left: all have left, declined or deleted every message for themselves.
create function messaging.delete_if_unused(p_conversation uuid) returns boolean language plpgsql as $$
begin
  delete from messaging.conversations c
   where c.id = p_conversation and not exists (
           select from messaging.participants p
            where p.conversation_id = c.id and p.status in ('active', 'requested') and p.from_position < c.last_position);
  return found;
end
$$;

-- Ends an account's part: "deleted" for oneself, "left" or "declined". False if the account takes no part.
create function messaging.step_out(p_account uuid, p_conversation uuid, p_how text) returns boolean language plpgsql as $$
begin
  perform from messaging.conversations c
   where c.id in (select p.conversation_id from messaging.own_place(p_account, p_conversation) p
                   where p_how <> 'declined' or p.status = 'requested')
     and (p_how <> 'left' or c.kind = 'group') for no key update;
  if not found then
    return false;
  end if;
  update messaging.participants p
     set status = case when p_how = 'deleted' then p.status else p_how end, is_hidden = true, hidden_at = now(), unread = 0,
         read_position = c.last_position,
         from_position = case when p_how = 'deleted' then c.last_position else p.from_position end
    from messaging.conversations c
   where c.id = p.conversation_id and p.account_id = p_account and p.conversation_id = p_conversation;
  if p_how = 'left' then
    perform messaging.announce(p_conversation, null);
  end if;
  perform messaging.announce(p_conversation, null, p_account);
  perform messaging.delete_if_unused(p_conversation);
  return true;
end
$$;
