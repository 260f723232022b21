"""SQL of an account's choices."""

from __future__ import annotations

from types import NoneType

from vetrina.core.database.connection import Statement

CHOOSE = Statement(
    NoneType,
    """
    insert into notifications.preferences as p (account_id, kind, channel, is_on)
    select %(account)s, c.kind, c.channel, c.is_on
      from unnest(%(kinds)s::text[], %(channels)s::text[], %(on)s::boolean[]) c (kind, channel, is_on)
     order by c.kind, c.channel
    on conflict (account_id, kind, channel) do update set is_on = excluded.is_on where p.is_on <> excluded.is_on
    """,
)
STOP_MAIL = Statement(
    NoneType,
    """
    insert into notifications.digests as d (account_id, is_stopped) values (%(account)s, %(is_stopped)s)
    on conflict (account_id) do update set is_stopped = excluded.is_stopped where d.is_stopped <> excluded.is_stopped
    """,
)
IS_STOPPED = Statement(
    bool, "select exists (select from notifications.digests where account_id = %(account)s and is_stopped) as is_stopped"
)
