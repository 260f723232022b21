"""SQL that several rooms share: a conversation as one participant has it."""

from __future__ import annotations

from typing import LiteralString

from vetrina.core.database.connection import Statement
from vetrina.messaging.model import ConversationRow

NAME: LiteralString = """
           coalesce((select v.business_name from accounts.vendors v where v.account_id = a.id and a.kind = 'vendor'),
                    (select u.name from accounts.users u where u.account_id = a.id), '@' || a.handle)"""
"""The name of the account `a`; null for an erased one."""

COLUMNS: LiteralString = f"""
           c.id, c.account_id, c.kind, c.title, p.status, c.last_change, c.last_position, p.read_position, p.from_position,
           p.unread, p.is_hidden, p.is_muted, p.sort_id,
           (select coalesce(jsonb_agg(jsonb_build_object(
                     'id', a.id, 'handle', a.handle, 'is_open', a.is_active and a.erased_at is null, 'name', {NAME},
                     'read_position', case when o.status = 'active' then o.read_position else 0 end)
                     order by o.created_at, o.account_id), '[]')
              from messaging.participants o join accounts.accounts a on a.id = o.account_id
             where o.conversation_id = p.conversation_id and o.account_id <> p.account_id
               and (c.kind = 'direct' or o.status <> 'left')) as people,
           (select jsonb_build_object('body', left(m.body, 140), 'is_own', m.account_id = p.account_id,
                     'is_deleted', m.deleted_at is not null, 'created_at', m.created_at)
              from messaging.messages m
             where m.conversation_id = p.conversation_id and m.position > p.from_position
             order by m.position desc limit 1) as preview"""
ONE = Statement(
    ConversationRow,
    f"""
    select {COLUMNS}
      from messaging.own_place(%(account)s, %(id)s) p join messaging.conversations c on c.id = p.conversation_id
    """,
)
UNREAD = Statement(
    int,
    """
    select count(*)::integer from messaging.participants p join messaging.conversations c on c.id = p.conversation_id
     where p.account_id = %(account)s and p.unread > 0 and p.status = 'active' and not p.is_muted
       and not (c.kind = 'direct' and gallery.blocked(p.account_id, messaging.partner(c, p.account_id)))
    """,
)
