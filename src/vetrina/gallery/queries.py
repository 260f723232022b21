"""SQL that several rooms of the gallery share: a post's columns."""

from __future__ import annotations

from typing import LiteralString

from vetrina.core.database.connection import Statement
from vetrina.gallery.model import PostRow


def columns(images: LiteralString) -> LiteralString:
    """Return the columns of a `PostRow` from the post `p`, with up to `images` pictures."""
    return f"""
           p.account_id, p.id, p.status, p.visibility, p.title, p.body, p.tags, p.wall_id, p.published_at, p.edited_at,
           p.created_at,
           coalesce((select v.business_name from accounts.vendors v where v.account_id = p.account_id and a.kind = 'vendor'),
                    (select u.name from accounts.users u where u.account_id = p.account_id), '@' || a.handle) as author,
           a.handle,
           gallery.counted(p.account_id, p.id, 'likes') as likes, gallery.counted(p.account_id, p.id, 'comments') as comments,
           exists (select from gallery.likes l
                    where l.account_id = %(viewer)s and l.post_account_id = p.account_id and l.post_id = p.id) as is_liked,
           gallery.images(p.account_id, p.id, {images}) as images"""


FROM: LiteralString = "from gallery.posts p join accounts.accounts a on a.id = p.account_id"

ONE = Statement(
    PostRow,
    f"""
    select {columns("10")} {FROM}
     where p.account_id = %(account)s and p.id = %(id)s and gallery.shows(%(viewer)s, p)
    """,
)
