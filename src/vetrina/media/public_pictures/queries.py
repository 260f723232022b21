"""SQL of public pictures."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.media.public_pictures.model import PictureRow

_PICTURES = """
    select f.account_id, f.id, media.facts(f) as file, coalesce(u.name, v.business_name) as owner, a.handle,
           a.is_active as owner_is_active, f.is_public, f.metadata->>'generation_id' as generation_id,
           t.reason as takedown_reason, t.created_at as taken_down_at, h.file_id is not null as is_featured,
           (select coalesce(jsonb_agg(jsonb_build_object('reason', r.reason, 'count', cardinality(r.reporters),
                                                         'notes', r.notes, 'created_at', r.created_at) order by r.id), '[]')
              from media.reports r
             where r.account_id = f.account_id and r.file_id = f.id and r.state = 'open') as reports,
           f.created_at
      from media.files f
      join accounts.accounts a on a.id = f.account_id
      left join accounts.users u on u.account_id = f.account_id
      left join accounts.vendors v on v.account_id = f.account_id
      left join media.takedowns t on t.account_id = f.account_id and t.file_id = f.id
      left join media.featured_files h on h.account_id = f.account_id and h.file_id = f.id"""
_PAGE = "f.id < %(before)s order by f.id desc limit %(limit)s"
REPORTED = Statement(
    PictureRow,
    f"""{_PICTURES}
     where (f.account_id, f.id) in (select r.account_id, r.file_id from media.reports r where r.state = 'open') and {_PAGE}""",
)
PUBLIC = Statement(PictureRow, f"{_PICTURES} where f.is_public and {_PAGE}")
TAKEN_DOWN = Statement(PictureRow, f"{_PICTURES} where t.file_id is not null and {_PAGE}")
FEATURED = Statement(PictureRow, f"{_PICTURES} where h.file_id is not null and {_PAGE}")
ONE = Statement(PictureRow, f"{_PICTURES} where f.account_id = %(account)s and f.id = %(id)s")
WAITING = Statement(
    int,
    """
    select count(*)::integer
      from (select distinct account_id, file_id from media.reports where state = 'open' limit 1000) reported
    """,
)

# Publishing and portraits wait for this lock, or are waited for: otherwise one that has not committed yet would escape a removal.
LOCK = Statement(UUID, "select id from media.files where account_id = %(account)s and id = %(id)s for update")
TAKE_DOWN = Statement(
    UUID,
    """
    insert into media.takedowns (account_id, file_id, reason, was_public)
    select account_id, id, %(reason)s, is_public from media.files where account_id = %(account)s and id = %(id)s
    on conflict (account_id, file_id) do nothing
    returning file_id
    """,
)
HIDE = Statement(
    NoneType, "update media.files set is_public = false where account_id = %(account)s and id = %(id)s and is_public"
)
REMOVE_PORTRAITS = Statement(NoneType, "delete from media.portraits where account_id = %(account)s and file_id = %(id)s")
RESTORE = Statement(bool, "delete from media.takedowns where account_id = %(account)s and file_id = %(id)s returning was_public")
# An owner who is no longer confirmed gets the picture back as a private one.
PUBLISH = Statement(
    NoneType,
    """
    update media.files f set is_public = true
     where f.account_id = %(account)s and f.id = %(id)s and not f.is_public
       and exists (select from accounts.accounts a
                    where a.id = f.account_id and (a.email_verified_at is not null or a.phone_verified_at is not null))
    """,
)

FEATURE = Statement(
    NoneType,
    """
    insert into media.featured_files (account_id, file_id)
    select account_id, id from media.files where account_id = %(account)s and id = %(id)s
    on conflict (account_id, file_id) do nothing
    """,
)
UNFEATURE = Statement(NoneType, "delete from media.featured_files where account_id = %(account)s and file_id = %(id)s")

REPORT = Statement(
    NoneType,
    """
    insert into media.reports as r (account_id, id, file_id, reason, notes, reporters)
    values (%(account)s, %(id)s, %(file)s, %(reason)s, %(notes)s::text[], array[%(reporter)s::text])
    on conflict (account_id, file_id, reason) where state = 'open' do update
       set notes = case when cardinality(r.notes) >= 10 or r.notes @> excluded.notes then r.notes
                        else r.notes || excluded.notes end,
           reporters = case when cardinality(r.reporters) >= 100 or r.reporters @> excluded.reporters then r.reporters
                            else r.reporters || excluded.reporters end
    """,
)
DECIDE = Statement(
    NoneType,
    """
    update media.reports set state = %(state)s, decided_at = now()
     where account_id = %(account)s and file_id = %(id)s and state = 'open'
    """,
)

# Who reported, and in which words, is not the owner's.
EXPORT_REPORTS = Statement(
    dict[str, Any],
    """
    select to_jsonb(r) - array['account_id', 'notes', 'reporters'] as row from media.reports r
     where account_id = %(account)s order by id
    """,
)
EXPORT_TAKEDOWNS = Statement(
    dict[str, Any],
    "select to_jsonb(t) - 'account_id' as row from media.takedowns t where account_id = %(account)s order by file_id",
)
EXPORT_FEATURED = Statement(
    dict[str, Any],
    "select to_jsonb(h) - 'account_id' as row from media.featured_files h where account_id = %(account)s order by file_id",
)
ERASE_REPORTS = Statement(NoneType, "delete from media.reports where account_id = %(account)s")
ERASE_TAKEDOWNS = Statement(NoneType, "delete from media.takedowns where account_id = %(account)s")
ERASE_FEATURED = Statement(NoneType, "delete from media.featured_files where account_id = %(account)s")
