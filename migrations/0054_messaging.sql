-- Conversations: direct (one for each pair of accounts) and of groups, their messages and who takes part.
--
-- Everything that happens in a conversation gets the next number of it, under the lock of its row: `position` is a message's
-- number when it was sent, `change` its number when it was last sent, edited or deleted. A reader that has all changes up to a
-- number misses none by asking for those after it.
create extension if not exists pg_trgm with schema public;
create schema messaging;

create table messaging.conversations (
  id uuid primary key,
  account_id uuid not null,
  kind text not null,
  low_account_id uuid,
  high_account_id uuid,
  title text not null default '',
  last_change bigint not null default 0,
  last_position bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint conversation_started_by_account foreign key (account_id) references accounts.accounts (id),
  constraint conversation_with_account foreign key (low_account_id) references accounts.accounts (id),
  constraint conversation_with_other_account foreign key (high_account_id) references accounts.accounts (id),
  constraint conversation_kind_known check (kind in ('direct', 'group')),
  constraint conversation_title_length check (char_length(title) <= 80),
  constraint conversation_pair_in_order check (
    case when kind = 'direct' then coalesce(low_account_id < high_account_id, false)
         else low_account_id is null and high_account_id is null end),
  constraint conversation_of_a_pair unique (low_account_id, high_account_id)
);
create trigger conversations_touch before update on messaging.conversations for each row execute function core.touch();
create index conversations_by_starter on messaging.conversations (account_id);
create index conversations_by_other on messaging.conversations (high_account_id);

-- `sort_id` orders an account's conversations: an id made when the last message was sent; null before the first.
-- Messages up to `from_position` are not shown: they were sent before the account joined, or it deleted them for itself.
create table messaging.participants (
  account_id uuid not null,
  conversation_id uuid not null,
  status text not null,
  read_position bigint not null default 0,
  from_position bigint not null default 0,
  unread integer not null default 0,
  is_hidden boolean not null default false,
  is_muted boolean not null default false,
  hidden_at timestamptz,
  sort_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, conversation_id),
  constraint participant_is_account foreign key (account_id) references accounts.accounts (id),
  constraint participant_of_conversation foreign key (conversation_id) references messaging.conversations (id) on delete cascade,
  constraint participant_status_known check (status in ('active', 'requested', 'declined', 'left'))
);
create trigger participants_touch before update on messaging.participants for each row execute function core.touch();
create index participants_of_conversation on messaging.participants (conversation_id, account_id);
create index participants_in_order on messaging.participants (account_id, status, sort_id);
create index participants_with_unread on messaging.participants (account_id) where unread > 0 and status = 'active' and not is_muted;

-- Text as it is searched: one form of the letters that Arabic and Persian keyboards write differently, Latin digits, no joiners.
create function messaging.searchable(p_text text) returns text language sql immutable parallel safe as $$
  select lower(translate(p_text, U&'\064A\0649\0643\0629\0623\0625\0622\06F0\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8\06F9\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\200C\200D\064B\064C\064D\064E\064F\0650\0651\0652',
                           U&'\06CC\06CC\06A9\0647\0627\0627\062701234567890123456789'))
$$;

-- A message's id is made from its Idempotency-Key, if it has one: the same message sent again finds itself.
create table messaging.messages (
  account_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  position bigint not null,
  change bigint not null,
  body text not null default '',
  subject_kind text,
  subject_id text,
  request_hash bytea not null,
  edited_at timestamptz,
  deleted_at timestamptz,
  words tsvector generated always as (to_tsvector('simple', messaging.searchable(body))) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (account_id, id),
  constraint message_by_account foreign key (account_id) references accounts.accounts (id),
  constraint message_in_conversation foreign key (conversation_id) references messaging.conversations (id) on delete cascade,
  constraint message_position_taken unique (conversation_id, position),
  constraint message_length check (char_length(body) <= 4000),
  constraint message_subject_length check (char_length(subject_kind) <= 40 and char_length(subject_id) <= 200)
);
create trigger messages_touch before update on messaging.messages for each row execute function core.touch();
create index messages_by_change on messaging.messages (conversation_id, change);
create index messages_by_words on messaging.messages using gin (words);
create index messages_by_letters on messaging.messages using gin (messaging.searchable(body) public.gin_trgm_ops);

create table messaging.message_images (
  account_id uuid not null,
  message_id uuid not null,
  position smallint not null,
  file_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (account_id, message_id, position),
  constraint message_image_position_in_range check (position between 1 and 10),
  constraint message_image_of_message foreign key (account_id, message_id) references messaging.messages (account_id, id) on delete cascade,
  constraint message_image_is_own_file foreign key (account_id, file_id) references media.files (account_id, id) on delete cascade
);
create index message_images_by_file on messaging.message_images (account_id, file_id);

create function messaging.partner(c messaging.conversations, p_account uuid) returns uuid language sql immutable as $$
  select case p_account when c.low_account_id then c.high_account_id when c.high_account_id then c.low_account_id end
$$;

-- The account's place in a conversation that it may read: none for those who take no part, and where one of a pair blocks
-- the other.
create function messaging.own_place(p_account uuid, p_conversation uuid) returns setof messaging.participants
language sql stable as $$
  select p.* from messaging.participants p join messaging.conversations c on c.id = p.conversation_id
   where p.account_id = p_account and p.conversation_id = p_conversation and p.status in ('active', 'requested')
     and not (c.kind = 'direct' and gallery.blocked(p.account_id, messaging.partner(c, p.account_id)))
$$;

create function messaging.count_unread(p messaging.participants) returns integer language sql stable as $$
  select count(*)::integer from messaging.messages m
   where m.conversation_id = p.conversation_id and m.position > greatest(p.read_position, p.from_position)
     and m.account_id <> p.account_id and m.deleted_at is null
$$;

-- Wakes the readers of a conversation, and the pages of all who take part or of one account.
create function messaging.announce(p_conversation uuid, p_change bigint, p_account uuid default null) returns void
language sql as $$
  select pg_notify('conversations', json_build_object('id', p_conversation, 'change', p_change)::text) where p_account is null;
  select pg_notify('messages', json_build_object('account_id', p.account_id, 'conversation_id', p.conversation_id, 'change', p_change)::text)
    from messaging.participants p
   where p.conversation_id = p_conversation and p.status in ('active', 'requested')
     and (p_account is null or p.account_id = p_account);
$$;

insert into core.settings (key, value, description) values
  ('limits.messages', '{"count": 120, "seconds": 60}', 'Messages sent by one account.'),
  ('limits.conversations', '{"count": 30, "seconds": 3600}', 'Conversations started by one account.');

create view doc_gallery.conversations as
select c.id, c.kind, c.title, c.created_at from messaging.conversations c;

create view doc_gallery.conversation_participants as
select p.conversation_id, coalesce((select i.subject from accounts.identities i where i.account_id = p.account_id order by i.created_at, i.subject limit 1),
                p.account_id::text) as user_sub, p.created_at as joined_at
  from messaging.participants p where p.status <> 'left';

create view doc_gallery.conversation_visibility as
select p.conversation_id, coalesce((select i.subject from accounts.identities i where i.account_id = p.account_id order by i.created_at, i.subject limit 1),
                p.account_id::text) as user_sub, not p.is_hidden and p.status in ('active', 'requested') as is_visible, p.hidden_at
  from messaging.participants p;

create view doc_gallery.messages as
select m.id, m.conversation_id, coalesce((select i.subject from accounts.identities i where i.account_id = m.account_id order by i.created_at, i.subject limit 1),
                m.account_id::text) as sender_sub, m.created_at, m.edited_at, m.deleted_at is not null as is_deleted
  from messaging.messages m;
