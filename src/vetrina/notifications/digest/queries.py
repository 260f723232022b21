"""SQL of the daily mail."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.notifications.model import GroupRow
from vetrina.notifications.queries import GROUP, NEWEST


class DueRow(msgspec.Struct, frozen=True):
    """An account to write to: its confirmed address and the language of its letters."""

    id: UUID
    email: str | None
    language: str | None


# Accounts with unread notifications that no mail had, which had none within 20 hours; in order of their ids.
DUE = Statement(
    DueRow,
    """
    select a.id, a.email, a.language
      from accounts.accounts a
      left join notifications.digests d on d.account_id = a.id
     where a.id > %(after)s and a.is_active and a.erased_at is null and a.email_verified_at is not null and a.email is not null
       and not coalesce(d.is_stopped, false) and coalesce(d.sent_at < now() - interval '20 hours', true)
       and exists (select from notifications.notifications n
                    where n.account_id = a.id and n.read_at is null and n.mailed_at is null)
     order by a.id limit %(limit)s
    """,
)
# Taken by the job that writes the mail: another one that runs at the same time finds none.
TAKE = Statement(
    NoneType,
    """
    insert into notifications.digests as d (account_id, sent_at) values (%(account)s, now())
    on conflict (account_id) do update set sent_at = excluded.sent_at
     where not d.is_stopped and coalesce(d.sent_at < now() - interval '20 hours', true)
    """,
)
UNREAD = Statement(
    GroupRow,
    f"""
    {GROUP}
      from notifications.notifications n
     where n.account_id = %(account)s and n.read_at is null and n.mailed_at is null and n.kind = any(%(kinds)s::text[])
       and {NEWEST}
     order by n.id desc limit %(limit)s
    """,
)
MARK_MAILED = Statement(
    NoneType,
    """
    update notifications.notifications set mailed_at = now()
     where account_id = %(account)s and read_at is null and mailed_at is null
    """,
)
