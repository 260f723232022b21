"""SQL of acts on several files. Each returns the ids that it changed, which are those that its undo changes back."""

from __future__ import annotations

from uuid import UUID

from vetrina.core.database.connection import Statement

SET_PUBLIC = Statement(
    UUID,
    """
    update media.files set is_public = %(is_public)s
     where account_id = %(account)s and id = any(%(ids)s::uuid[]) and is_public <> %(is_public)s
    returning id
    """,
)
ADD_TAG = Statement(
    UUID,
    """
    update media.files set tags = array_append(tags, %(tag)s)
     where account_id = %(account)s and id = any(%(ids)s::uuid[])
       and not exists (select from unnest(tags) as t (tag) where lower(t.tag) = lower(%(tag)s))
    returning id
    """,
)
REMOVE_TAG = Statement(
    UUID,
    """
    update media.files set tags = array_remove(tags, %(tag)s)
     where account_id = %(account)s and id = any(%(ids)s::uuid[]) and tags @> array[%(tag)s::text]
    returning id
    """,
)
