"""SQL of exports and erasures."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

import msgspec

from vetrina.core.database.connection import Statement


class Export(msgspec.Struct, frozen=True):
    """A data export: pending, ready or failed."""

    account_id: UUID
    id: UUID
    status: str
    storage_key: str | None
    bytes: int | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime


class OwnerProof(msgspec.Struct, frozen=True):
    """What a request to erase an account is checked against."""

    password_hash: str | None
    signed_in_at: datetime | None


INSERT_EXPORT = Statement(
    UUID,
    """
    insert into accounts.exports (account_id, id, expires_at)
    values (%(account)s, %(id)s, now() + make_interval(days => %(days)s))
    on conflict (account_id) where status = 'pending' do nothing
    returning id
    """,
)
EXPORTS = Statement(
    Export,
    """
    select account_id, id, status, storage_key, bytes, created_at, finished_at, expires_at from accounts.exports
     where account_id = %(account)s and expires_at > now()
     order by id desc limit 20
    """,
)
EXPORT = Statement(
    Export,
    """
    select account_id, id, status, storage_key, bytes, created_at, finished_at, expires_at from accounts.exports
     where account_id = %(account)s and id = %(id)s and expires_at > now()
    """,
)
FAIL_EXPORT = Statement(
    NoneType,
    """
    update accounts.exports set status = 'failed', finished_at = now()
     where account_id = %(account)s and id = %(id)s and status = 'pending'
    """,
)
FINISH_EXPORT = Statement(
    UUID,
    """
    update accounts.exports set status = %(status)s, storage_key = %(key)s, bytes = %(bytes)s, finished_at = now()
     where account_id = %(account)s and id = %(id)s and status = 'pending'
    returning id
    """,
)
# A trigger enqueues the job that deletes the bytes.
DELETE_OLDER_EXPORTS = Statement(
    NoneType,
    """
    delete from accounts.exports e
     where e.account_id = %(account)s and e.status in ('ready', 'failed') and e.id <> %(id)s
       and exists (select from accounts.exports p
                    where p.account_id = e.account_id and p.id = %(id)s and p.status = 'pending')
    """,
)
DELETE_EXPIRED_EXPORTS = Statement(NoneType, "delete from accounts.exports where expires_at <= now()")
FAIL_STUCK_EXPORTS = Statement(
    NoneType,
    """
    update accounts.exports set status = 'failed', finished_at = now()
     where status = 'pending' and created_at < now() - interval '2 hours'
    """,
)
DELETE_EXPORT = Statement(
    UUID,
    """
    delete from accounts.exports where account_id = %(account)s and id = %(id)s and status in ('ready', 'failed')
    returning id
    """,
)

OWNER_PROOF = Statement(
    OwnerProof,
    """
    select a.password_hash, (select s.created_at from accounts.sessions s where s.account_id = a.id and s.id = %(session)s)
             as signed_in_at
      from accounts.accounts a where a.id = %(account)s
    """,
)
# Disabling the account ends its sessions.
BEGIN_ERASURE = Statement(
    UUID,
    """
    with off as (
      update accounts.accounts set is_active = false where id = %(account)s
    )
    insert into accounts.erasures (account_id) values (%(account)s) on conflict do nothing
    returning account_id
    """,
)
UNFINISHED_ERASURES = Statement(
    UUID,
    """
    select account_id from accounts.erasures where finished_at is null and created_at < now() - interval '10 minutes'
     order by created_at limit 100
    """,
)
ERASE_ACCOUNT = Statement(
    NoneType,
    """
    update accounts.accounts
       set email = null, phone = null, handle = null, password_hash = null, email_verified_at = null, phone_verified_at = null,
           last_login_at = null, time_zone = null, language = null, is_active = false, erased_at = coalesce(erased_at, now())
     where id = %(account)s
    """,
)
ERASED = Statement(UUID, "select id from accounts.accounts where id = %(account)s and erased_at is not null")
FINISH_ERASURE = Statement(
    NoneType, "update accounts.erasures set finished_at = now() where account_id = %(account)s and finished_at is null"
)

# The rows of an export as JSON, without secrets and hashes.
EXPORT_ACCOUNT = Statement(
    dict[str, Any],
    "select to_jsonb(a) - 'password_hash' as row from accounts.accounts a where id = %(account)s",
)
EXPORT_USER = Statement(
    dict[str, Any], "select to_jsonb(u) - 'account_id' as row from accounts.users u where account_id = %(account)s"
)
EXPORT_VENDOR = Statement(
    dict[str, Any], "select to_jsonb(v) - 'account_id' as row from accounts.vendors v where account_id = %(account)s"
)
EXPORT_SESSIONS = Statement(
    dict[str, Any],
    """
    select to_jsonb(s) - 'account_id' - 'refresh_token_hash' - 'previous_token_hash' as row
      from accounts.sessions s where account_id = %(account)s order by id
    """,
)
EXPORT_ROLES = Statement(
    dict[str, Any],
    "select to_jsonb(r) - 'account_id' as row from accounts.user_roles r where account_id = %(account)s order by role",
)
EXPORT_EXPORTS = Statement(
    dict[str, Any],
    "select to_jsonb(e) - 'account_id' - 'storage_key' as row from accounts.exports e where account_id = %(account)s order by id",
)
EXPORT_SECOND_FACTOR = Statement(
    dict[str, Any],
    """
    select to_jsonb(f) - 'account_id' - 'secret' as row from accounts.second_factors f where account_id = %(account)s
    """,
)

ERASE_USER = Statement(NoneType, "delete from accounts.users where account_id = %(account)s")
ERASE_VENDOR = Statement(NoneType, "delete from accounts.vendors where account_id = %(account)s")
ERASE_SESSIONS = Statement(NoneType, "delete from accounts.sessions where account_id = %(account)s")
ERASE_ROLES = Statement(NoneType, "delete from accounts.user_roles where account_id = %(account)s")
ERASE_RECOVERY_CODES = Statement(NoneType, "delete from accounts.recovery_codes where account_id = %(account)s")
ERASE_SECOND_FACTOR = Statement(NoneType, "delete from accounts.second_factors where account_id = %(account)s")
ERASE_EXPORTS = Statement(NoneType, "delete from accounts.exports where account_id = %(account)s")
ERASE_CODES = Statement(
    NoneType,
    """
    delete from accounts.verifications v using accounts.accounts a
     where a.id = %(account)s and v.kind = a.kind and v.target in (a.email, a.phone)
    """,
)
