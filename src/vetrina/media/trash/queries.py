"""SQL of the trash. It reads the table itself; `media.files` has only what is not in the trash."""

from __future__ import annotations

from vetrina.core.database.connection import Statement
from vetrina.media.model import FileRow
from vetrina.media.queries import COLUMNS
from vetrina.media.trash.model import TrashedFileRow, TrashUse

_DAYS = "(select (value #>> '{}')::integer from core.settings where key = 'media.trash_days')"
_ROW = f"{COLUMNS}, deleted_at, deleted_at + make_interval(days => {_DAYS}) as erased_at"

TRASH = Statement(
    TrashedFileRow,
    f"""
    update media.stored_files files set deleted_at = now()
     where account_id = %(account)s and id = any(%(ids)s::uuid[]) and deleted_at is null
    returning {_ROW}
    """,
)
RESTORE = Statement(
    FileRow,
    f"""
    update media.stored_files files set deleted_at = null
     where account_id = %(account)s and id = any(%(ids)s::uuid[]) and deleted_at is not null
    returning {COLUMNS}
    """,
)
# What one act deleted has one time.
RESTORE_DELETED_AT = Statement(
    FileRow,
    f"""
    update media.stored_files files set deleted_at = null
     where account_id = %(account)s and deleted_at = %(deleted_at)s
    returning {COLUMNS}
    """,
)
ERASE = Statement(
    FileRow,
    f"""
    delete from media.stored_files files
     where account_id = %(account)s and id = any(%(ids)s::uuid[]) and deleted_at is not null
    returning {COLUMNS}
    """,
)
EMPTY = Statement(
    FileRow,
    f"delete from media.stored_files files where account_id = %(account)s and deleted_at is not null returning {COLUMNS}",
)
# The condition is checked again after a row's lock, so that a picture that is restored meanwhile stays.
EMPTY_OLD = Statement(
    FileRow,
    f"""
    delete from media.stored_files files using (
      select o.account_id as owner, o.id as file from media.stored_files o
       where o.deleted_at <= now() - make_interval(days => {_DAYS}) order by o.deleted_at limit %(limit)s
         for update skip locked
    ) old
     where files.account_id = old.owner and files.id = old.file
       and deleted_at <= now() - make_interval(days => {_DAYS})
    returning {COLUMNS}
    """,
)
LIST = Statement(
    TrashedFileRow,
    f"""
    select {_ROW} from media.stored_files files
     where account_id = %(account)s and deleted_at is not null and id < %(before)s
     order by id desc limit %(limit)s
    """,
)
ONE = Statement(
    TrashedFileRow,
    f"""
    select {_ROW} from media.stored_files files
     where account_id = %(account)s and id = %(id)s and deleted_at is not null
    """,
)
USE = Statement(
    TrashUse,
    f"""
    select count(*)::integer as files, coalesce(sum(bytes + coalesce(derived_bytes, 0)), 0)::bigint as bytes,
           {_DAYS} as days
      from media.stored_files where account_id = %(account)s and deleted_at is not null
    """,
)
