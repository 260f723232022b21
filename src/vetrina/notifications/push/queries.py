"""SQL of push subscriptions."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement
from vetrina.notifications.model import GroupRow
from vetrina.notifications.queries import GROUP, NEWEST


class SubscriptionRow(msgspec.Struct, frozen=True):
    """A browser that shows an account's notifications."""

    id: UUID
    endpoint: str
    p256dh: str
    auth: str
    device: str
    last_success_at: datetime | None
    created_at: datetime


LIST = Statement(
    SubscriptionRow,
    """
    select id, endpoint, p256dh, auth, device, last_success_at, created_at
      from notifications.push_subscriptions where account_id = %(account)s order by id desc
    """,
)
# A browser has one endpoint: whoever is signed in there now gets its messages.
FREE = Statement(
    NoneType, "delete from notifications.push_subscriptions where endpoint = %(endpoint)s and account_id <> %(account)s"
)
SUBSCRIBE = Statement(
    UUID,
    """
    insert into notifications.push_subscriptions as s (account_id, id, endpoint, p256dh, auth, device)
    values (%(account)s, %(id)s, %(endpoint)s, %(p256dh)s, %(auth)s, %(device)s)
    on conflict (endpoint) do update set p256dh = excluded.p256dh, auth = excluded.auth, device = excluded.device
     where s.account_id = excluded.account_id
    returning id
    """,
)
COUNT = Statement(int, "select count(*)::integer from notifications.push_subscriptions where account_id = %(account)s")
UNSUBSCRIBE = Statement(NoneType, "delete from notifications.push_subscriptions where account_id = %(account)s and id = %(id)s")
SENT = Statement(
    NoneType, "update notifications.push_subscriptions set last_success_at = now() where account_id = %(account)s and id = %(id)s"
)
# What is older than an hour is no news.
TO_PUSH = Statement(
    GroupRow,
    f"""
    {GROUP}
      from notifications.notifications n
     where n.account_id = %(account)s and n.pushed_at is null and n.read_at is null and n.created_at > now() - interval '1 hour'
       and {NEWEST}
     order by n.id limit 10
    """,
)
MARK_PUSHED = Statement(
    NoneType,
    """
    update notifications.notifications set pushed_at = now()
     where account_id = %(account)s and pushed_at is null and id <= %(until)s
    """,
)
SERVICES = Statement(str, "select value #>> '{}' from core.settings where key = 'notifications.push_services'")
LANGUAGE = Statement(str, "select language from accounts.accounts where id = %(account)s")
