"""SQL of conversations."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.messaging.model import ConversationRow
from vetrina.messaging.queries import COLUMNS

START_DIRECT = Statement(UUID, "select messaging.start_direct(%(account)s, %(other)s, %(id)s)")
START_GROUP = Statement(
    NoneType,
    "insert into messaging.conversations (id, account_id, kind, title) values (%(id)s, %(account)s, 'group', %(title)s)",
)
JOIN = Statement(
    NoneType,
    """
    insert into messaging.participants (account_id, conversation_id, status, sort_id)
    values (%(account)s, %(id)s, 'active', %(sort)s)
    """,
)
ADD = Statement(
    bool,
    "select messaging.add_participants(%(account)s, %(id)s, %(others)s::uuid[], %(sort)s)",
)
_BOX = f"""
    select {COLUMNS}
      from messaging.participants p join messaging.conversations c on c.id = p.conversation_id
     where p.account_id = %(account)s and p.sort_id < %(before)s
       and not (c.kind = 'direct' and gallery.blocked(p.account_id, messaging.partner(c, p.account_id)))"""
INBOX = Statement(
    ConversationRow,
    f"{_BOX} and p.status = 'active' and not p.is_hidden order by p.sort_id desc limit %(limit)s",
)
REQUESTS = Statement(
    ConversationRow,
    f"{_BOX} and p.status = 'requested' and not p.is_hidden order by p.sort_id desc limit %(limit)s",
)
HIDDEN = Statement(
    ConversationRow,
    f"""{_BOX} and p.status = 'active' and p.is_hidden and p.from_position < c.last_position
     order by p.sort_id desc limit %(limit)s""",
)
MUTE = Statement(
    NoneType,
    """
    update messaging.participants set is_muted = %(is_muted)s
     where account_id = %(account)s
       and conversation_id in (select p.conversation_id from messaging.own_place(%(account)s, %(id)s) p)
    """,
)
HIDE = Statement(
    NoneType,
    """
    update messaging.participants set is_hidden = %(is_hidden)s, hidden_at = case when %(is_hidden)s then now() end
     where account_id = %(account)s
       and conversation_id in (select p.conversation_id from messaging.own_place(%(account)s, %(id)s) p)
    """,
)
STEP_OUT = Statement(bool, "select messaging.step_out(%(account)s, %(id)s, %(how)s)")
# Conversations that all have hidden for 30 days, with nothing left for anyone, or in which nothing was ever written.
PURGE = Statement(
    int,
    """
    with gone as (
      delete from messaging.conversations c using (
        select c.id from messaging.conversations c
         where c.created_at < %(before)s
           and not exists (select from messaging.participants p
                            where p.conversation_id = c.id and p.status in ('active', 'requested')
                              and p.from_position < c.last_position
                              and (p.hidden_at is null or p.hidden_at > %(before)s))
           and not exists (select from messaging.participants p
                            where p.conversation_id = c.id and c.kind = 'group' and c.last_position = 0
                              and p.status in ('active', 'requested'))
         limit 500) old
       where c.id = old.id returning 1)
    select count(*)::integer from gone
    """,
)
BETWEEN = Statement(
    UUID,
    """
    select p.conversation_id from messaging.conversations c
     cross join lateral messaging.own_place(%(account)s, c.id) p
     where c.low_account_id = least(%(account)s, %(other)s::uuid) and c.high_account_id = greatest(%(account)s, %(other)s::uuid)
    """,
)
TAKES_PART = Statement(bool, "select true from messaging.own_place(%(account)s, %(id)s)")
PERSON = Statement(
    str,
    """
    select coalesce((select v.business_name from accounts.vendors v where v.account_id = a.id and a.kind = 'vendor'),
                    (select u.name from accounts.users u where u.account_id = a.id), '@' || a.handle, '')
      from accounts.accounts a
     where a.id = %(other)s and a.id <> %(account)s and a.is_active and a.erased_at is null
       and not gallery.blocked(%(account)s, a.id)
    """,
)
# Accounts by their handles, such as "@ada"; unknown ones are left out.
BY_HANDLES = Statement(
    UUID,
    """
    select a.id from accounts.accounts a
     where lower(a.handle) = any(%(handles)s::text[]) and a.is_active and a.erased_at is null order by a.id
    """,
)

REQUEST_COUNT = Statement(
    int,
    """
    select count(*)::integer from messaging.participants p join messaging.conversations c on c.id = p.conversation_id
     where p.account_id = %(account)s and p.status = 'requested' and not p.is_hidden and p.sort_id is not null
       and not (c.kind = 'direct' and gallery.blocked(p.account_id, messaging.partner(c, p.account_id)))
    """,
)
