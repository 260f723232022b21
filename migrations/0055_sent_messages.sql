-- Sends many messages in one statement: one answer for each, in order, {"outcome": "created" | "replayed", "position"} or
-- {"refused"}; with when and by whom it was sent, so that the caller need not read it. Conversations are locked in one order; what is refused affects no other.
create or replace function messaging.send_many(p_items jsonb) returns jsonb[] language plpgsql as $$
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
    v_answers := v_answers || (
      select jsonb_build_object('outcome', 'created', 'position', v_position, 'created_at', now(), 'handle', a.handle, 'author',
               coalesce((select v.business_name from accounts.vendors v where v.account_id = a.id and a.kind = 'vendor'),
                        (select u.name from accounts.users u where u.account_id = a.id), '@' || a.handle))
        from accounts.accounts a where a.id = v_item.account_id);
  end loop;
  perform messaging.announce(a.key::uuid, a.value::bigint) from jsonb_each_text(v_announced) a;
  return v_answers;
end
$$;
