"""SQL of messages."""

from __future__ import annotations

from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.messaging.model import ImageFile, MessageRow
from vetrina.messaging.queries import NAME

SEND_MANY = Statement(dict[str, Any], "select unnest(messaging.send_many(%(items)s))")
CHANGE = Statement(str, "select messaging.change_message(%(account)s, %(id)s, %(position)s, %(body)s::text, %(seconds)s)")
MARK_READ = Statement(bool, "select messaging.mark_read(%(account)s, %(id)s, %(position)s)")

_COLUMNS = f"""
           m.account_id, m.id, m.conversation_id, m.position, m.change, m.body, m.subject_kind, m.subject_id,
           case when a.erased_at is null then {NAME} end as author, a.handle,
           (select coalesce(jsonb_agg(jsonb_build_object('position', i.position, 'file', media.facts(f))
                                      order by i.position), '[]')
              from messaging.message_images i join media.files f on f.account_id = i.account_id and f.id = i.file_id
             where i.account_id = m.account_id and i.message_id = m.id
               and not exists (select from media.takedowns t where t.account_id = f.account_id and t.file_id = f.id)) as images,
           m.created_at, m.edited_at, m.deleted_at"""
_READABLE = f"""
    select {_COLUMNS}
      from messaging.own_place(%(account)s, %(id)s) p
      join messaging.messages m on m.conversation_id = p.conversation_id and m.position > p.from_position
      join accounts.accounts a on a.id = m.account_id"""
BEFORE = Statement(MessageRow, f"{_READABLE} where m.position < %(before)s order by m.position desc limit %(limit)s")
AFTER_CHANGE = Statement(MessageRow, f"{_READABLE} where m.change > %(change)s order by m.change limit %(limit)s")
ONE = Statement(MessageRow, f"{_READABLE} where m.position = %(position)s")
# Every word must be there: at the beginning of one (by the index of words), or anywhere in one (by the index of letters).
SEARCH = Statement(
    MessageRow,
    f"""
    select {_COLUMNS}
      from messaging.messages m
      join messaging.participants p on p.account_id = %(account)s and p.conversation_id = m.conversation_id
      join messaging.conversations c on c.id = p.conversation_id
      join accounts.accounts a on a.id = m.account_id
     where p.status in ('active', 'requested') and m.position > p.from_position and m.deleted_at is null
       and (m.words @@ to_tsquery('simple', %(query)s)
            or messaging.searchable(m.body) like all (%(patterns)s::text[]))
       and not (c.kind = 'direct' and gallery.blocked(p.account_id, messaging.partner(c, p.account_id)))
     order by m.created_at desc, m.conversation_id, m.position desc limit %(limit)s
    """,
)
IMAGE = Statement(
    ImageFile,
    """
    select i.account_id, i.file_id
      from messaging.own_place(%(account)s, %(id)s) p
      join messaging.messages m on m.conversation_id = p.conversation_id and m.position > p.from_position
      join messaging.message_images i on i.account_id = m.account_id and i.message_id = m.id
      join media.files f on f.account_id = i.account_id and f.id = i.file_id
     where m.position = %(position)s and i.position = %(number)s
       and not exists (select from media.takedowns t where t.account_id = i.account_id and t.file_id = i.file_id)
    """,
)
SEARCHABLE = Statement(str, "select messaging.searchable(%(text)s)")
