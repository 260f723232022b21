"""SQL of requests."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement

ACCEPT = Statement(
    NoneType,
    """
    update messaging.participants set status = 'active'
     where account_id = %(account)s
       and conversation_id in (select p.conversation_id from messaging.own_place(%(account)s, %(id)s) p)
    """,
)
