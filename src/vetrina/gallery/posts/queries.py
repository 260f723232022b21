"""SQL of posts."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.gallery.model import PostRow, PostSubject
from vetrina.gallery.queries import FROM, columns

INSERT = Statement(
    NoneType,
    """
    insert into gallery.posts (account_id, id, visibility, title, body, tags)
    values (%(account)s, %(id)s, %(visibility)s, %(title)s, %(body)s, %(tags)s::text[])
    """,
)
LOCK = Statement(
    PostRow,
    f"""
    select {columns("10")} {FROM}
     where p.account_id = %(account)s and p.id = %(id)s and p.deleted_at is null and %(viewer)s::uuid = p.account_id
       for update of p
    """,
)
CHANGE = Statement(
    NoneType,
    """
    update gallery.posts
       set visibility = %(visibility)s, title = %(title)s, body = %(body)s, tags = %(tags)s::text[],
           edited_at = case when status = 'draft' then null else now() end
     where account_id = %(account)s and id = %(id)s
    """,
)
REMOVE_IMAGES = Statement(NoneType, "delete from gallery.post_images where account_id = %(account)s and post_id = %(id)s")
ADD_IMAGES = Statement(
    NoneType,
    """
    insert into gallery.post_images (account_id, post_id, position, file_id, alt)
    select %(account)s, %(id)s, i.n, i.file_id, i.alt
      from unnest(%(files)s::uuid[], %(alts)s::text[]) with ordinality as i (file_id, alt, n)
    """,
)
# A post keeps the place on the wall that it had when it was first published.
PUBLISH = Statement(
    NoneType,
    """
    update gallery.posts
       set status = 'published', wall_id = coalesce(wall_id, %(wall_id)s), published_at = coalesce(published_at, now())
     where account_id = %(account)s and id = %(id)s
    """,
)
ARCHIVE = Statement(
    NoneType,
    "update gallery.posts set status = 'archived' where account_id = %(account)s and id = %(id)s and status = 'published'",
)
DELETE = Statement(
    NoneType, "update gallery.posts set deleted_at = now() where account_id = %(account)s and id = %(id)s and deleted_at is null"
)
RESTORE = Statement(
    UUID,
    """
    update gallery.posts set deleted_at = null
     where account_id = %(account)s and id = %(id)s and deleted_at is not null returning id
    """,
)
# Those that no other public post shows; a picture that is on the wall by a post leaves the wall with it.
TO_HIDE = Statement(
    UUID,
    """
    select f.id from gallery.post_images i
      join media.files f on f.account_id = i.account_id and f.id = i.file_id and f.is_public
     where i.account_id = %(account)s and i.post_id = %(id)s
       and not exists (select from gallery.post_images o
                         join gallery.posts p on p.account_id = o.account_id and p.id = o.post_id
                        where o.account_id = i.account_id and o.file_id = i.file_id and o.post_id <> i.post_id
                          and p.status = 'published' and p.visibility = 'public' and p.deleted_at is null)
    """,
)
TO_SHOW = Statement(
    UUID,
    """
    select f.id from gallery.post_images i
      join media.files f on f.account_id = i.account_id and f.id = i.file_id and not f.is_public
     where i.account_id = %(account)s and i.post_id = %(id)s
       and not exists (select from media.takedowns t where t.account_id = f.account_id and t.file_id = f.id)
     order by f.id
    """,
)
MINE = Statement(
    PostRow,
    f"""
    select {columns("1")} {FROM}
     where p.account_id = %(account)s and %(viewer)s::uuid = p.account_id and p.deleted_at is null
       and (%(status)s::text is null or p.status = %(status)s) and p.id < %(before)s
     order by p.id desc limit %(limit)s
    """,
)
RESULT_FILES = Statement(
    UUID,
    """
    select g.file_id from studio.generation_files g
      join media.files f on f.account_id = g.account_id and f.id = g.file_id
     where g.account_id = %(account)s and g.generation_id = %(id)s and g.role = 'result'
     order by g.position limit 10
    """,
)
PURGE = Statement(
    int,
    """
    with gone as (
      delete from gallery.posts p using (
        select account_id, id from gallery.posts where deleted_at < now() - interval '30 days' order by deleted_at limit 500
      ) old where p.account_id = old.account_id and p.id = old.id returning 1)
    select count(*)::integer from gone
    """,
)
PURGE_COUNTERS = Statement(
    NoneType,
    """
    delete from gallery.counters c
     where c.kind in ('likes', 'comments')
       and not exists (select from gallery.posts p where p.account_id = c.account_id and p.id = c.subject_id)
    """,
)
SUBJECTS = Statement(
    PostSubject,
    """
    select p.account_id || '/' || p.id as id, p.title
      from unnest(%(accounts)s::uuid[], %(ids)s::uuid[]) as i (account_id, id)
      join gallery.posts p on p.account_id = i.account_id and p.id = i.id
     where gallery.shows(%(viewer)s, p)
    """,
)
