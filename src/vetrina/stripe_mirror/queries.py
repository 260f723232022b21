"""SQL of the mirror. What keeps the order of events is in its migration; what differs by kind goes through functions there."""

from __future__ import annotations

from vetrina.core.db import Statement
from vetrina.stripe_mirror.model import Digest

TAKE = Statement(list[str], "select stripe_mirror.take(%(events)s::jsonb, %(originals)s::jsonb, %(told)s::text[])")
TAKE_FETCHED = Statement(
    int, "select stripe_mirror.take_fetched(%(kind)s, %(objects)s::jsonb, %(at)s::timestamptz, %(began)s::timestamptz)"
)

FUZZED = Statement(
    Digest,
    """
    select count(*)::integer as objects, coalesce(md5(string_agg(
             kind || id || data::text || event_at || event_rank || event_id || coalesce(deleted_at::text, ''),
             ' ' order by kind, id collate "C")), '') as state
      from stripe_mirror.objects where id = any (%(ids)s)
    """,
)
