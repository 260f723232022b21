"""SQL of albums."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.media.albums.model import AlbumFileRow, AlbumRow, Placed
from vetrina.media.model import FileRow
from vetrina.media.queries import COLUMNS

# `open`: whether for visitors, who see only public pictures.
_SHOWN = """(not %(open)s or (f.is_public and not exists (
               select from media.takedowns t where t.account_id = f.account_id and t.file_id = f.id)))"""
_ALBUM = f"""
           a.account_id, a.id, a.slug, a.name, a.description, a.is_public, a.image_count, a.cover_file_id,
           coalesce((select media.facts(f) from media.files f
                      where f.account_id = a.account_id and f.id = a.cover_file_id and {_SHOWN}),
                    (select media.facts(f) from media.album_files i
                       join media.files f on f.account_id = i.account_id and f.id = i.file_id
                      where i.account_id = a.account_id and i.album_id = a.id and {_SHOWN}
                      order by i.position limit 1)) as cover,
           (select o.handle from accounts.accounts o where o.id = a.account_id) as handle,
           a.published_at, a.created_at, a.updated_at
      from media.albums a"""

INSERT = Statement(
    UUID,
    """
    insert into media.albums (account_id, id, slug, name, description)
    select v.account_id, %(id)s, %(slug)s, %(name)s, %(description)s
      from accounts.vendors v where v.account_id = %(account)s
    on conflict on constraint album_slug_taken do nothing
    returning id
    """,
)
IS_BUSINESS = Statement(bool, "select exists (select from accounts.vendors v where v.account_id = %(account)s)")
ONE = Statement(
    AlbumRow,
    f"""
    select {_ALBUM}
     where a.account_id = %(account)s and a.id = %(id)s and a.deleted_at is null and (not %(open)s or a.is_public)
    """,
)
LIST = Statement(
    AlbumRow,
    f"""
    select {_ALBUM}
     where a.account_id = %(account)s and a.deleted_at is null and (not %(open)s or a.is_public) and a.id < %(before)s
     order by a.id desc limit %(limit)s
    """,
)
BY_SLUG = Statement(
    AlbumRow,
    f"select {_ALBUM} where a.account_id = %(account)s and a.slug = %(slug)s and a.is_public and a.deleted_at is null",
)
ALL_FILES = Statement(
    FileRow,
    f"""
    select {COLUMNS}
      from (select i.file_id, i.position from media.album_files i
             where i.account_id = %(account)s and i.album_id = %(album)s) placed
      join media.files on files.account_id = %(account)s and files.id = placed.file_id
     order by placed.position
    """,
)
# Pictures of the library that are not in the album, the newest first.
CHOICES = Statement(
    FileRow,
    f"""
    select {COLUMNS} from media.files
     where account_id = %(account)s and id < %(before)s
       and not exists (select from media.album_files i
                        where i.account_id = %(account)s and i.album_id = %(album)s and i.file_id = files.id)
     order by id desc limit %(limit)s
    """,
)
OWNER_IS_OPEN = Statement(bool, "select a.is_active and a.erased_at is null from accounts.accounts a where a.id = %(account)s")
LOCK = Statement(
    UUID,
    """
    select id from media.albums
     where account_id = %(account)s and id = any(%(ids)s::uuid[]) and deleted_at is null order by id for no key update
    """,
)
CHANGE = Statement(
    NoneType,
    """
    update media.albums
       set name = coalesce(%(name)s, name), description = coalesce(%(description)s, description),
           is_public = coalesce(%(is_public)s, is_public),
           published_at = case when %(is_public)s then coalesce(published_at, now()) else published_at end,
           cover_file_id = case when %(sets_cover)s then %(cover)s::uuid else cover_file_id end
     where account_id = %(account)s and id = %(id)s and deleted_at is null
    """,
)
DELETE = Statement(
    UUID,
    """
    update media.albums set deleted_at = now()
     where account_id = %(account)s and id = %(id)s and deleted_at is null returning id
    """,
)
RESTORE = Statement(
    UUID,
    """
    update media.albums set deleted_at = null
     where account_id = %(account)s and id = %(id)s and deleted_at is not null returning id
    """,
)
PURGE = Statement(
    UUID,
    """
    delete from media.albums
     where (account_id, id) in (select account_id, id from media.albums
                                 where deleted_at < now() - interval '30 days' order by deleted_at limit 100)
    returning id
    """,
)

# The window runs over the whole album: an album's pages are few, and its order has no gaps a cursor could count.
FILES = Statement(
    AlbumFileRow,
    f"""
    select {COLUMNS}, placed.position, placed.previous_id, placed.after_next_id, placed.is_last
      from (select i.file_id, i.position, lag(i.file_id) over w as previous_id, lead(i.file_id, 2) over w as after_next_id,
                   lead(i.file_id) over w is null as is_last
              from media.album_files i where i.account_id = %(account)s and i.album_id = %(album)s
            window w as (order by i.position)) placed
      join media.files on files.account_id = %(account)s and files.id = placed.file_id
     where placed.position > %(after)s
     order by placed.position limit %(limit)s
    """,
)
OPEN_FILES = Statement(
    AlbumFileRow,
    f"""
    select {COLUMNS}, placed.position, null::uuid as previous_id, null::uuid as after_next_id, false as is_last
      from (select i.file_id, i.position from media.album_files i
             where i.account_id = %(account)s and i.album_id = %(album)s and i.position > %(after)s) placed
      join media.files on files.account_id = %(account)s and files.id = placed.file_id
     where files.is_public
       and not exists (select from media.takedowns t where t.account_id = %(account)s and t.file_id = placed.file_id)
     order by placed.position limit %(limit)s
    """,
)
ADD = Statement(UUID, "select media.add_to_album(%(account)s, %(album)s, %(files)s::uuid[], %(positions)s::bigint[])")
REMOVE = Statement(
    Placed,
    """
    delete from media.album_files
     where account_id = %(account)s and album_id = %(album)s and file_id = any(%(files)s::uuid[])
    returning file_id, position
    """,
)
PLACE = Statement(bool, "select media.place_in_album(%(account)s, %(album)s, %(file)s, %(next)s)")

SHOW_ALL = Statement(
    int,
    """
    with shown as (
      update media.files f set is_public = %(is_public)s
       where f.account_id = %(account)s and f.is_public <> %(is_public)s
         and f.id in (select i.file_id from media.album_files i where i.account_id = %(account)s and i.album_id = %(album)s)
         and (%(is_public)s is false or not exists (
               select from media.takedowns t where t.account_id = f.account_id and t.file_id = f.id))
      returning 1)
    select count(*)::integer from shown
    """,
)
# Tags are compared without case; a tag that is there keeps its spelling and its place.
CHANGE_FILES = Statement(
    FileRow,
    f"""
    update media.files
       set is_public = coalesce(%(is_public)s, is_public),
           tags = array(select (array_agg(u.tag order by u.number))[1]
                          from unnest(tags || %(add_tags)s::text[]) with ordinality as u (tag, number)
                         where lower(u.tag) <> all(%(remove_tags)s::text[])
                         group by lower(u.tag) order by min(u.number))
      from (select l.id as locked_id from media.files l where l.account_id = %(account)s and l.id = any(%(ids)s::uuid[])
             order by l.id for no key update) locked
     where account_id = %(account)s and id = locked.locked_id
    returning {COLUMNS}
    """,
)

EXPORT_ALBUMS = Statement(
    dict[str, Any], "select to_jsonb(r) - 'account_id' as row from media.albums r where account_id = %(account)s order by id"
)
EXPORT_ALBUM_FILES = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - 'account_id' as row from media.album_files r
     where account_id = %(account)s order by album_id, position
    """,
)
ERASE_ALBUM_FILES = Statement(NoneType, "delete from media.album_files where account_id = %(account)s")
ERASE_ALBUMS = Statement(NoneType, "delete from media.albums where account_id = %(account)s")
