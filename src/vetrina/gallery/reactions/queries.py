"""SQL of likes and comments."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.gallery.model import CommentRow

_ITEMS = """unnest(%(accounts)s::uuid[], %(owners)s::uuid[], %(posts)s::uuid[])
              with ordinality as i (account_id, post_account_id, post_id, n)"""
# One row for each item, in order: whether the account may see the post. Rows are locked in one order.
LIKE = Statement(
    bool,
    f"""
    with item as (select * from {_ITEMS}),
    visible as (
      select i.* from item i
        join gallery.posts p on p.account_id = i.post_account_id and p.id = i.post_id
       where p.status = 'published' and gallery.shows(i.account_id, p)),
    added as (
      insert into gallery.likes (account_id, post_account_id, post_id)
      select distinct account_id, post_account_id, post_id from visible order by post_account_id, post_id, account_id
      on conflict (account_id, post_account_id, post_id) do nothing)
    select exists (select from visible v where v.n = i.n) from item i order by i.n
    """,
)
UNLIKE = Statement(
    bool,
    f"""
    with item as (select * from {_ITEMS}),
    liked as (
      select l.account_id, l.post_account_id, l.post_id from gallery.likes l
       where (l.account_id, l.post_account_id, l.post_id) in (select account_id, post_account_id, post_id from item)
       order by l.post_account_id, l.post_id, l.account_id for update),
    removed as (
      delete from gallery.likes l using liked d
       where l.account_id = d.account_id and l.post_account_id = d.post_account_id and l.post_id = d.post_id)
    select true from item i order by i.n
    """,
)

_COMMENTS = """
    select c.account_id, c.id, c.post_account_id, c.post_id, c.parent_account_id, c.parent_id, c.body, c.created_at,
           coalesce((select v.business_name from accounts.vendors v where v.account_id = c.account_id and a.kind = 'vendor'),
                    (select u.name from accounts.users u where u.account_id = c.account_id), '@' || a.handle) as author,
           a.handle
      from gallery.comments c
      join accounts.accounts a on a.id = c.account_id"""
COMMENTS = Statement(
    CommentRow,
    f"""
    {_COMMENTS}
     where c.post_account_id = %(account)s and c.post_id = %(id)s and c.id < %(before)s
       and a.is_active and not gallery.blocked(c.account_id, %(viewer)s)
     order by c.id desc limit %(limit)s
    """,
)
COMMENT = Statement(CommentRow, f"{_COMMENTS} where c.account_id = %(account)s and c.id = %(id)s")
# An answer to an answer stands under the first comment: threads have two levels.
INSERT_COMMENT = Statement(
    UUID,
    """
    insert into gallery.comments (account_id, id, post_account_id, post_id, parent_account_id, parent_id, body)
    select %(account)s, %(id)s, p.account_id, p.id, coalesce(c.parent_account_id, c.account_id), coalesce(c.parent_id, c.id),
           %(body)s
      from gallery.posts p
      left join gallery.comments c on c.account_id = %(parent_account)s::uuid and c.id = %(parent)s::uuid
                                  and c.post_account_id = p.account_id and c.post_id = p.id
     where p.account_id = %(owner)s and p.id = %(post)s and p.status = 'published' and gallery.shows(%(account)s, p)
       and (%(parent)s::uuid is null or c.id is not null)
    returning id
    """,
)
DELETE_COMMENT = Statement(
    NoneType,
    """
    delete from gallery.comments c
     where c.account_id = %(account)s and c.id = %(id)s and %(actor)s::uuid in (c.account_id, c.post_account_id)
    """,
)
