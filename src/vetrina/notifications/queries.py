"""SQL of notifications that several rooms use."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement
from vetrina.notifications.model import GroupRow, PreferenceRow

NOTIFY = Statement(NoneType, "select notifications.notify(%(items)s)")
WITHDRAW = Statement(NoneType, "select notifications.withdraw(%(items)s)")
WITHDRAW_ACTOR = Statement(NoneType, "select notifications.withdraw_actor(%(account)s, %(actor)s)")
PURGE = Statement(
    NoneType,
    """
    delete from notifications.notifications where (account_id, id) in (
      select account_id, id from notifications.notifications
       where created_at < now() - make_interval(days => (select (value #>> '{}')::integer from core.settings
                                                          where key = 'notifications.kept_days'))
       order by created_at limit 1000)
    """,
)
PREFERENCES = Statement(
    PreferenceRow,
    "select kind, channel, is_on from notifications.preferences where account_id = %(account)s order by kind, channel",
)

GROUP = """
    select n.id, n.kind, n.subject, n.details, n.read_at is not null as is_read, n.created_at,
           (select count(*) from (select from notifications.notifications e
                                   where e.account_id = n.account_id and e.kind = n.kind and e.subject = n.subject and e.is_listed
                                   limit 1000) counted)::integer as total,
           (select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name, 'handle', w.handle)
                                     order by w.event desc), '[]')
              from (select a.id, e.id as event, a.handle, coalesce(
                             (select v.business_name from accounts.vendors v where v.account_id = a.id and a.kind = 'vendor'),
                             (select u.name from accounts.users u where u.account_id = a.id), '@' || a.handle) as name
                      from notifications.notifications e
                      join accounts.accounts a on a.id = e.actor_account_id
                     where e.account_id = n.account_id and e.kind = n.kind and e.subject = n.subject and e.is_listed
                     order by e.id desc limit 2) w) as actors"""
"""Columns of a GroupRow, of the newest notification `n` of its group."""
NEWEST = """not exists (
         select from notifications.notifications o
          where o.account_id = n.account_id and o.kind = n.kind and o.subject = n.subject and o.is_listed and o.id > n.id)"""
"""That `n` is the newest of its group."""
GROUPS = Statement(
    GroupRow,
    f"""
    {GROUP}
      from notifications.notifications n
     where n.account_id = %(account)s and n.is_listed and n.id < %(before)s and n.kind = any(%(kinds)s::text[])
       and (not %(unread)s or n.read_at is null) and {NEWEST}
     order by n.id desc limit %(limit)s
    """,
)
