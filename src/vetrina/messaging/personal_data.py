"""Personal data in messaging. What an account wrote stays in the conversations of others, as a deleted account's."""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.core.personal_data import PersonalData, TableRule

EXPORT_MESSAGES = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - array['account_id', 'words', 'change'] - 'request_hash' as row from messaging.messages r
     where account_id = %(account)s order by created_at
    """,
)
EXPORT_IMAGES = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - 'account_id' as row from messaging.message_images r
     where account_id = %(account)s order by message_id, position
    """,
)
EXPORT_PLACES = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from messaging.participants r where account_id = %(account)s order by created_at",
)
EXPORT_STARTED = Statement(
    dict[str, Any],
    """
    select jsonb_build_object('id', r.id, 'kind', r.kind, 'title', r.title, 'created_at', r.created_at) as row
      from messaging.conversations r where account_id = %(account)s order by created_at
    """,
)
ERASE_IMAGES = Statement(NoneType, "delete from messaging.message_images where account_id = %(account)s")
ERASE_PLACES = Statement(
    NoneType,
    """
    update messaging.participants
       set status = 'left', unread = 0, is_hidden = true, hidden_at = coalesce(hidden_at, now()), sort_id = null
     where account_id = %(account)s
    """,
)

WRITTEN = "others keep what was written to them, under the bare id of a deleted account"

PERSONAL_DATA = PersonalData(
    "messaging",
    [
        TableRule("messaging.message_images", EXPORT_IMAGES, ERASE_IMAGES),
        TableRule("messaging.messages", EXPORT_MESSAGES, None, WRITTEN),
        TableRule("messaging.participants", EXPORT_PLACES, ERASE_PLACES),
        TableRule("messaging.conversations", EXPORT_STARTED, None, WRITTEN),
    ],
)
