"""SQL of an account's list of notifications."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement

UNREAD = Statement(
    int,
    """
    select count(distinct (n.kind, n.subject))::integer
      from (select kind, subject from notifications.notifications
             where account_id = %(account)s and read_at is null and is_listed order by id desc limit 100) n
    """,
)
# The whole group, up to the notification that was shown: what came since stays unread.
MARK_READ = Statement(
    NoneType,
    """
    update notifications.notifications n set read_at = now()
      from notifications.notifications s
     where s.account_id = %(account)s and s.id = %(id)s and n.account_id = s.account_id and n.kind = s.kind
       and n.subject = s.subject and n.id <= s.id and n.read_at is null
    """,
)
MARK_ALL_READ = Statement(
    NoneType,
    """
    update notifications.notifications set read_at = now()
     where account_id = %(account)s and read_at is null and id <= %(until)s
    """,
)
EXISTS = Statement(bool, "select true from notifications.notifications where account_id = %(account)s and id = %(id)s")
DELETE = Statement(
    NoneType,
    """
    delete from notifications.notifications n using notifications.notifications s
     where s.account_id = %(account)s and s.id = %(id)s and n.account_id = s.account_id and n.kind = s.kind
       and n.subject = s.subject and n.id <= s.id
    """,
)
ANNOUNCE = Statement(NoneType, "select pg_notify('notifications', json_build_object('account_id', %(account)s::uuid)::text)")
