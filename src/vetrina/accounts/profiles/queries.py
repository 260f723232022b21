"""SQL of profiles and business profiles."""

from __future__ import annotations

from types import NoneType
from typing import Any
from uuid import UUID

from vetrina.accounts.profiles.model import BusinessBadge
from vetrina.core.database.connection import Statement

# The time of the change is stored from the second handle on: the first one may be corrected at once.
SET_HANDLE = Statement(
    NoneType,
    """
    update accounts.accounts
       set handle = %(handle)s, handle_changed_at = case when handle is null then handle_changed_at else now() end
     where id = %(account)s and handle is distinct from %(handle)s
    """,
)
MOVED = Statement(
    str,
    """
    select a.handle from accounts.former_handles f join accounts.accounts a on a.id = f.account_id
     where f.handle = %(handle)s and f.free_at > now() and a.handle is not null and a.is_active and a.erased_at is null
    """,
)
SET_NAME = Statement(NoneType, "update accounts.users set name = %(name)s where account_id = %(account)s")
SET_BIO = Statement(NoneType, "update accounts.users set bio = %(bio)s where account_id = %(account)s")
SET_LANGUAGE = Statement(NoneType, "update accounts.accounts set language = %(language)s where id = %(account)s")
SET_TIME_ZONE = Statement(NoneType, "update accounts.accounts set time_zone = %(zone)s where id = %(account)s")
TOUR_DUE = Statement(bool, "select tour_ended_at is null from accounts.accounts where id = %(account)s")
SET_TOUR = Statement(
    NoneType,
    """
    update accounts.accounts set tour_ended_at = case when %(ended)s then now() end
     where id = %(account)s and (tour_ended_at is null) = %(ended)s
    """,
)
RENAME = Statement(
    NoneType,
    """
    with person as (
      update accounts.users set name = %(name)s where account_id = %(account)s
    )
    update accounts.vendors set business_name = %(name)s
     where account_id = %(account)s and %(name)s::text is not null
       and exists (select from accounts.accounts where id = %(account)s and kind = 'vendor')
    """,
)

CHANGE_BUSINESS = Statement(
    UUID,
    """
    update accounts.vendors
       set business_name = coalesce(%(business_name)s, business_name),
           bio = nullif(coalesce(%(bio)s, bio), ''),
           profile_info = coalesce(%(profile_info)s::jsonb, profile_info),
           contact_info = coalesce(%(contact_info)s::jsonb, contact_info),
           social_links = coalesce(%(social_links)s::jsonb, social_links)
     where account_id = %(account)s
    returning account_id
    """,
)
ADD_BUSINESS = Statement(
    NoneType,
    """
    insert into accounts.vendors (account_id, business_name, bio, profile_info, contact_info, social_links)
    values (%(account)s, %(business_name)s, nullif(%(bio)s, ''), coalesce(%(profile_info)s::jsonb, '{}'),
            coalesce(%(contact_info)s::jsonb, '{}'), coalesce(%(social_links)s::jsonb, '{}'))
    """,
)
REMOVE_BUSINESS = Statement(
    NoneType,
    """
    delete from accounts.vendors v using accounts.accounts a
     where v.account_id = %(account)s and a.id = v.account_id and a.kind = 'user'
    """,
)
BUSINESS = Statement(
    BusinessBadge, "select business_name, is_verified, verified_at from accounts.vendors where account_id = %(account)s"
)
VERIFY_BUSINESS = Statement(
    UUID, "update accounts.vendors set is_verified = %(verified)s where account_id = %(account)s returning account_id"
)

EXPORT_FORMER_HANDLES = Statement(
    dict[str, Any],
    "select to_jsonb(h) - 'account_id' as row from accounts.former_handles h where account_id = %(account)s order by created_at",
)
ERASE_FORMER_HANDLES = Statement(NoneType, "delete from accounts.former_handles where account_id = %(account)s")
