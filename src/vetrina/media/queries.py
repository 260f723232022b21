"""SQL of media.

`media.files` has no picture that is in the trash: those are only in `media.stored_files`.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

from vetrina.core.database.connection import Statement
from vetrina.media.model import FileRow, Name, Unmeasured, Used
from vetrina.wallet.model import Fault

# A limit of 0 is none, as with every other limit.
_DAILY_LIMIT = """(select coalesce(nullif((value->>'count')::integer, 0), 2147483647)
                         from core.settings where key = 'limits.daily_uploads')"""
DAILY_LIMIT = Statement(int, f"select {_DAILY_LIMIT}")
HAS_DAILY_UPLOADS = Statement(
    bool,
    f"""
    select coalesce((select d.count from media.daily_uploads d
                      where d.account_id = %(account)s and d.day = (now() at time zone 'utc')::date), 0) < {_DAILY_LIMIT}
    """,
)
# No row comes back when the day's uploads are used up: uploads at once wait for each other's row.
TAKE_DAILY_UPLOAD = Statement(
    int,
    f"""
    insert into media.daily_uploads as d (account_id, day, count)
    select %(account)s, (now() at time zone 'utc')::date, 1
    on conflict (account_id, day) do update set count = d.count + 1 where d.count < {_DAILY_LIMIT}
    returning count
    """,
)

HAS_PENDING_UPLOAD = Statement(
    bool, "select exists (select from media.pending_uploads where account_id = %(account)s and expires_at > now())"
)
FILL_PENDING_UPLOAD = Statement(bool, "select media.fill_pending_upload(%(account)s)")
# A trigger returns their slots.
DROP_PENDING_UPLOADS = Statement(NoneType, "delete from media.pending_uploads where expires_at <= now()")

COLUMNS = """account_id, id, category, file_name, storage_key, mime, bytes, width, height, colour, thumbnails,
           is_public, tags, metadata,
           (select t.reason from media.takedowns t where t.account_id = files.account_id and t.file_id = files.id)
             as takedown_reason, created_at"""

INSERT = Statement(
    FileRow,
    f"""
    insert into media.files (account_id, id, category, file_name, storage_key, sha256, mime, bytes, derived_bytes,
                             width, height, colour, thumbnails, is_public, tags, metadata)
    values (%(account)s, %(id)s, %(category)s, %(file_name)s, %(storage_key)s, %(sha256)s, %(mime)s, %(bytes)s,
            %(derived_bytes)s, %(width)s, %(height)s, %(colour)s, %(thumbnails)s, %(is_public)s, %(tags)s::text[], %(metadata)s)
    returning {COLUMNS}
    """,
)

ONE = Statement(FileRow, f"select {COLUMNS} from media.files where account_id = %(account)s and id = %(id)s")
SOME = Statement(
    FileRow,
    f"""
    select {COLUMNS} from media.files
     where account_id = %(account)s and id = any(%(ids)s::uuid[])
     order by array_position(%(ids)s::uuid[], id)
    """,
)

HAS_FILES = Statement(bool, "select exists (select from media.files where account_id = %(account)s)")
SAMPLE = Statement(
    FileRow,
    f"""
    select {COLUMNS} from media.files
     where account_id = %(account)s and category = %(category)s and metadata ->> 'sample' = %(sample)s
     order by id desc limit 1
    """,
)

# Two statements instead of one with a condition, so that each can walk its own index from the newest.
_FITS = """id < %(before)s
       and (%(tag)s::text is null or tags @> array[%(tag)s::text])
       and (%(q)s::text is null or strpos(lower(file_name), lower(%(q)s)) > 0
            or exists (select from unnest(tags) as t (tag) where strpos(lower(t.tag), lower(%(q)s)) > 0))
     order by id desc limit %(limit)s"""
LIST = Statement(FileRow, f"select {COLUMNS} from media.files where account_id = %(account)s and {_FITS}")
LIST_BY_CATEGORY = Statement(
    FileRow, f"select {COLUMNS} from media.files where account_id = %(account)s and category = %(category)s and {_FITS}"
)
NEWEST_IN_CATEGORY = Statement(
    FileRow,
    f"""
    select {COLUMNS} from media.files
     where account_id = %(account)s and category = %(category)s and id < %(before)s and id <> all(%(without)s::uuid[])
     order by id desc limit %(limit)s
    """,
)

CHANGE = Statement(
    FileRow,
    f"""
    update media.files
       set tags = coalesce(%(tags)s::text[], tags), is_public = coalesce(%(is_public)s, is_public),
           file_name = coalesce(%(file_name)s, file_name)
     where account_id = %(account)s and id = %(id)s
    returning {COLUMNS}
    """,
)
# A trigger enqueues the job that deletes the bytes in the same transaction.
DELETE = Statement(
    FileRow, f"delete from media.files where account_id = %(account)s and id = any(%(ids)s::uuid[]) returning {COLUMNS}"
)

USED = Statement(
    Used,
    """
    select category, count(*)::integer as files, sum(bytes)::bigint as bytes
      from media.files where account_id = %(account)s group by category order by category
    """,
)
TAGS = Statement(
    str,
    """
    select distinct t.tag from media.files f cross join unnest(f.tags) as t (tag)
     where f.account_id = %(account)s order by t.tag limit 200
    """,
)

# No row for a file that is in the trash.
IS_PUBLIC = Statement(
    bool,
    """
    select f.is_public and a.is_active from media.files f join accounts.accounts a on a.id = f.account_id
     where f.account_id = %(account)s and f.id = %(id)s
    """,
)
PUBLIC_FACTS = Statement(
    dict[str, Any],
    """
    select media.facts(f) from media.files f join accounts.accounts a on a.id = f.account_id
     where f.account_id = %(account)s and f.id = %(id)s and f.is_public and a.is_active
    """,
)
NAME = Statement(Name, "select file_name, mime from media.files where account_id = %(account)s and id = %(id)s")

LIVE = Statement(
    str,
    """
    select f.storage_key
      from unnest(%(accounts)s::uuid[], %(keys)s::text[]) as asked (account_id, storage_key)
      join media.stored_files f on f.account_id = asked.account_id and f.storage_key = asked.storage_key
    """,
)

UNMEASURED = Statement(
    Unmeasured,
    """
    select account_id, id, storage_key, thumbnails from media.stored_files
     where derived_bytes is null order by account_id, id limit %(limit)s
    """,
)
MEASURED = Statement(
    NoneType,
    """
    update media.stored_files set derived_bytes = %(bytes)s
     where account_id = %(account)s and id = %(id)s and derived_bytes is null
    """,
)
# Both sides of `vetrina verify`: what the triggers counted, and what the rows say.
FAULTS = Statement(
    Fault,
    """
    select case when s.file_bytes = f.bytes then 'export bytes counted' else 'file bytes counted' end as check_name,
           s.account_id, 'accounts.storage' as row,
           case when s.file_bytes = f.bytes then e.bytes else f.bytes end as expected,
           case when s.file_bytes = f.bytes then s.export_bytes else s.file_bytes end as found
      from accounts.storage s
     cross join lateral (select coalesce(sum(bytes + coalesce(derived_bytes, 0)), 0)::bigint as bytes
                           from media.stored_files where account_id = s.account_id) f
     cross join lateral (select coalesce(sum(bytes), 0)::bigint as bytes
                           from accounts.exports where account_id = s.account_id) e
     where s.file_bytes <> f.bytes or s.export_bytes <> e.bytes
     order by s.account_id limit %(limit)s
    """,
)
ALBUM_FAULTS = Statement(
    Fault,
    """
    select 'album pictures counted' as check_name, a.account_id, 'media.albums:' || a.id as row,
           n.count::bigint as expected, a.image_count::bigint as found
      from media.albums a
     cross join lateral (select count(*) as count from media.album_files i
                          where i.account_id = a.account_id and i.album_id = a.id) n
     where a.image_count <> n.count
     order by a.account_id, a.id limit %(limit)s
    """,
)
