"""SQL of lists of posts."""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.core.web.public.sitemap import SitemapRow
from vetrina.gallery.model import PostRow
from vetrina.gallery.queries import FROM, columns

_LISTED: LiteralString = """gallery.shows(%(viewer)s, p)
       and not exists (select from gallery.mutes m where m.account_id = %(viewer)s and m.muted_account_id = p.account_id)"""
_PUBLIC: LiteralString = f"""p.status = 'published' and p.visibility = 'public' and p.deleted_at is null and {_LISTED}"""
_PAGE: LiteralString = "p.wall_id < %(before)s order by p.wall_id desc limit %(limit)s"
NEWEST = Statement(PostRow, f"select {columns('1')} {FROM} where {_PUBLIC} and {_PAGE}")
BY_TAG = Statement(PostRow, f"select {columns('1')} {FROM} where p.tags @> array[%(tag)s::text] and {_PUBLIC} and {_PAGE}")
SEARCH = Statement(
    PostRow,
    f"""
    select {columns("1")} {FROM}
     where (p.words @@ websearch_to_tsquery('simple', %(q)s)
            or p.account_id in (select n.id from accounts.accounts n where n.handle = lower(%(q)s)
                                union all
                                select u.account_id from accounts.users u where lower(u.name) = lower(%(q)s)
                                union all
                                select v.account_id from accounts.vendors v where lower(v.business_name) = lower(%(q)s)))
       and {_PUBLIC} and {_PAGE}
    """,
)
# The latest 20,000 likes of a week decide, so that a busy site reads no more than a quiet one.
LIKED = Statement(
    PostRow,
    f"""
    select {columns("1")}
      from (select l.post_account_id, l.post_id, count(*) as recent
              from (select post_account_id, post_id from gallery.likes
                     where created_at > now() - interval '7 days' order by created_at desc limit 20000) l
             group by l.post_account_id, l.post_id order by recent desc limit 200) top
      join gallery.posts p on p.account_id = top.post_account_id and p.id = top.post_id
      join accounts.accounts a on a.id = p.account_id
     where {_PUBLIC}
     order by top.recent desc, p.wall_id desc limit %(limit)s
    """,
)
# Of each followed account the newest by its own index, then the newest of those.
_FOLLOWED: LiteralString = """
      from gallery.follows f
     cross join lateral (
       select p.account_id, p.id, p.wall_id from gallery.posts p
        where p.account_id = f.followed_account_id and p.status = 'published' and p.deleted_at is null
          and p.visibility <> 'link' and gallery.shows(f.account_id, p)"""
_NOT_MUTED: LiteralString = """
       and not exists (select from gallery.mutes m
                        where m.account_id = f.account_id and m.muted_account_id = f.followed_account_id)"""
FEED = Statement(
    PostRow,
    f"""
    select {columns("10")}
      from (select t.account_id, t.id, t.wall_id {_FOLLOWED} and p.wall_id < %(before)s
             order by p.wall_id desc limit %(limit)s) t
     where f.account_id = %(viewer)s and f.is_approved {_NOT_MUTED}
     order by t.wall_id desc limit %(limit)s) n
      join gallery.posts p on p.account_id = n.account_id and p.id = n.id
      join accounts.accounts a on a.id = p.account_id
     order by p.wall_id desc
    """,
)
NEW_IN_FEED = Statement(
    int,
    f"""
    select count(*)::integer
      from (select t.id {_FOLLOWED} and p.wall_id > %(after)s limit 100) t
     where f.account_id = %(viewer)s and f.is_approved {_NOT_MUTED} limit 100) n
    """,
)
OF_ACCOUNT = Statement(
    PostRow,
    f"""
    select {columns("1")} {FROM}
     where p.account_id = %(account)s and p.status = 'published' and p.deleted_at is null and p.visibility <> 'link'
       and gallery.shows(%(viewer)s, p) and {_PAGE}
    """,
)
TAGS = Statement(
    str,
    """
    select t.tag
      from (select p.tags from gallery.posts p
             where p.status = 'published' and p.visibility = 'public' and p.deleted_at is null
             order by p.wall_id desc limit 500) newest
     cross join unnest(newest.tags) as t (tag)
     group by t.tag order by count(*) desc, t.tag limit 12
    """,
)
SITEMAP_STARTS = Statement(
    UUID,
    """
    select wall_id from (
      select wall_id, row_number() over (order by wall_id) as position from gallery.posts
       where status = 'published' and visibility = 'public' and deleted_at is null) numbered
     where position %% %(size)s = 1 order by wall_id limit %(limit)s
    """,
)
SITEMAP_ROWS = Statement(
    SitemapRow,
    """
    select '/posts/' || p.account_id || '/' || p.id as path, p.updated_at as changed_at
      from gallery.posts p
     where p.status = 'published' and p.visibility = 'public' and p.deleted_at is null and p.wall_id >= %(first)s
       and gallery.shows(null, p)
     order by p.wall_id limit %(size)s
    """,
)
