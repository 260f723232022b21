"""SQL of profiles with portraits, joined across schemas; the profile's texts are written by accounts."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.core.database.connection import Statement
from vetrina.core.web.public.sitemap import SitemapRow
from vetrina.media.model import FileRow
from vetrina.media.portraits.model import ProfileRow
from vetrina.media.queries import COLUMNS

_PROFILE = """
    select a.id as account_id, a.handle, a.kind, u.name, u.bio,
           case when v.account_id is not null then jsonb_build_object(
             'business_name', v.business_name, 'bio', v.bio, 'profile_info', v.profile_info, 'contact_info', v.contact_info,
             'social_links', v.social_links, 'is_verified', v.is_verified) end as business,
           (select media.facts(f) from media.portraits p join media.files f on f.account_id = p.account_id and f.id = p.file_id
             where p.account_id = a.id and p.face = 'avatar') as avatar,
           (select media.facts(f) from media.portraits p join media.files f on f.account_id = p.account_id and f.id = p.file_id
             where p.account_id = a.id and p.face = 'logo') as logo,
           array(select d.domain from accounts.domain_verifications d
                  where d.account_id = a.id and d.status = 'verified' order by d.domain) as verified_domains,
           case when a.handle_changed_at > now() - interval '14 days'
                then a.handle_changed_at + interval '14 days' end as handle_may_change_at,
           a.created_at as joined_at
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id"""
PROFILE = Statement(ProfileRow, f"{_PROFILE} where a.handle = %(handle)s and a.is_active and a.erased_at is null")
MINE = Statement(ProfileRow, f"{_PROFILE} where a.id = %(account)s")

SET_PORTRAIT = Statement(
    UUID,
    """
    insert into media.portraits (account_id, face, file_id)
    select account_id, %(face)s, id from media.files where account_id = %(account)s and id = %(file)s
    on conflict (account_id, face) do update set file_id = excluded.file_id
    returning file_id
    """,
)
REMOVE_PORTRAIT = Statement(NoneType, "delete from media.portraits where account_id = %(account)s and face = %(face)s")

PICTURES = Statement(
    FileRow,
    f"""
    select {COLUMNS} from media.files
     where account_id = %(account)s and is_public and id < %(before)s
     order by id desc limit %(limit)s
    """,
)

EXPORT_PORTRAITS = Statement(
    dict[str, Any], "select to_jsonb(p) - 'account_id' as row from media.portraits p where account_id = %(account)s order by face"
)
ERASE_PORTRAITS = Statement(NoneType, "delete from media.portraits where account_id = %(account)s")

SITEMAP_STARTS = Statement(
    UUID,
    """
    select id from (select id, row_number() over (order by id) as position
                      from accounts.accounts where handle is not null) numbered
     where position %% %(size)s = 1 order by id limit %(limit)s
    """,
)
SITEMAP_ROWS = Statement(
    SitemapRow,
    """
    select '/@' || a.handle as path, newest.updated_at as changed_at
      from (select id, handle, is_active, erased_at from accounts.accounts
             where handle is not null and id >= %(first)s order by id limit %(size)s) a
      cross join lateral (select f.updated_at from media.files f
                           where f.account_id = a.id and f.is_public order by f.id desc limit 1) newest
     where a.is_active and a.erased_at is null
     order by a.id
    """,
)
