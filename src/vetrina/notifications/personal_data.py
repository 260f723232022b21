"""Personal data of notifications."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import PersonalData, TableRule

EXPORT_NOTIFICATIONS = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - array['account_id', 'is_listed', 'pushed_at', 'mailed_at', 'updated_at'] as row
      from notifications.notifications r where account_id = %(account)s order by id
    """,
)
EXPORT_PREFERENCES = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - 'account_id' as row from notifications.preferences r
     where account_id = %(account)s order by kind, channel
    """,
)
EXPORT_DIGESTS = Statement(
    dict[str, Any], "select to_jsonb(r) - 'account_id' as row from notifications.digests r where account_id = %(account)s"
)
EXPORT_SUBSCRIPTIONS = Statement(
    dict[str, Any],
    """
    select jsonb_build_object('device', r.device, 'endpoint', r.endpoint, 'created_at', r.created_at) as row
      from notifications.push_subscriptions r where account_id = %(account)s order by id
    """,
)
# What others were notified of goes with the account that caused it.
ERASE_NOTIFICATIONS = Statement(
    NoneType, "delete from notifications.notifications where account_id = %(account)s or actor_account_id = %(account)s"
)
ERASE_PREFERENCES = Statement(NoneType, "delete from notifications.preferences where account_id = %(account)s")
ERASE_DIGESTS = Statement(NoneType, "delete from notifications.digests where account_id = %(account)s")
ERASE_SUBSCRIPTIONS = Statement(NoneType, "delete from notifications.push_subscriptions where account_id = %(account)s")

PERSONAL_DATA = PersonalData(
    "notifications",
    [
        TableRule("notifications.notifications", EXPORT_NOTIFICATIONS, ERASE_NOTIFICATIONS),
        TableRule("notifications.preferences", EXPORT_PREFERENCES, ERASE_PREFERENCES),
        TableRule("notifications.digests", EXPORT_DIGESTS, ERASE_DIGESTS),
        TableRule("notifications.push_subscriptions", EXPORT_SUBSCRIPTIONS, ERASE_SUBSCRIPTIONS),
    ],
)
