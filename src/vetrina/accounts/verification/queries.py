"""SQL of one-time codes and of the identifiers that they confirm."""

from __future__ import annotations

from types import NoneType
from uuid import UUID

from vetrina.accounts.verification.model import ConfirmedIdentifier, Guesses, IdentifierAccount
from vetrina.core.database.connection import Statement

# No row while the target is locked: it could not use the code.
UPSERT_CODE = Statement(
    UUID,
    """
    insert into accounts.verifications as v (kind, purpose, target, id, code_hash, expires_at)
    values (%(kind)s, %(purpose)s, %(target)s, %(id)s, %(hash)s, now() + make_interval(secs => %(lifetime)s))
    on conflict (target, purpose, kind) do update
       set id = excluded.id, code_hash = excluded.code_hash, expires_at = excluded.expires_at, consumed_at = null,
           attempt_count = 0,
           hourly_count = case when v.attempts_since < now() - interval '1 hour' then 0 else v.hourly_count end
     where (select coalesce(sum(o.hourly_count), 0) < %(hourly)s from accounts.verifications o
             where o.target = %(target)s and o.purpose = %(purpose)s and o.attempts_since >= now() - interval '1 hour')
    returning v.id
    """,
)

# The row's lock serializes guesses: each sees what the one before has counted or consumed. A letter's link is no guess: its code
# is sealed in it, so that a stranger's guesses do not close it.
CHECK_CODE = Statement(
    bool,
    """
    update accounts.verifications v
       set consumed_at = case when v.code_hash = any(%(hashes)s) then now() end,
           attempt_count = v.attempt_count + case when v.code_hash = any(%(hashes)s) then 0 else 1 end,
           hourly_count = v.hourly_count + case when v.code_hash = any(%(hashes)s) then 0 else 1 end,
           attempts_since = case when v.code_hash = any(%(hashes)s) then v.attempts_since else now() end
     where v.target = %(target)s and v.purpose = %(purpose)s and v.kind = %(kind)s
       and v.consumed_at is null and v.expires_at > now()
       and case when %(by_link)s then v.code_hash = any(%(hashes)s)
                else v.attempt_count < %(attempts)s and v.hourly_count < %(hourly)s end
    returning v.consumed_at is not null as is_right
    """,
)

GUESSES = Statement(
    Guesses,
    """
    select coalesce(sum(hourly_count), 0)::integer as in_last_hour,
           coalesce(ceil(extract(epoch from max(attempts_since) + interval '1 hour' - now())), 0)::integer as seconds_left,
           coalesce(max(attempt_count) filter (where kind = %(kind)s and consumed_at is null and expires_at > now()), 0)
             as of_code
      from accounts.verifications
     where target = %(target)s and purpose = %(purpose)s and attempts_since >= now() - interval '1 hour'
    """,
)

DELETE_OLD_CODES = Statement(
    NoneType,
    """
    delete from accounts.verifications
     where expires_at < now() and updated_at < now() - interval '1 hour' and attempts_since < now() - interval '1 hour'
    """,
)

CONFIRM_IDENTIFIER = Statement(
    ConfirmedIdentifier,
    """
    select account_id, outcome
      from accounts.confirm_identifier(%(kind)s, %(email)s, %(phone)s, %(account)s, %(password_hash)s)
    """,
)

ACCOUNTS_OF_IDENTIFIER = Statement(
    IdentifierAccount,
    """
    select id, kind,
           case when email = %(email)s::text then email_verified_at else phone_verified_at end is not null as is_confirmed
      from accounts.accounts
     where (email = %(email)s::text or phone = %(phone)s::text) and is_active
     order by kind
    """,
)

RELEASE_IDENTIFIER = Statement(
    NoneType,
    """
    update accounts.accounts
       set email = case when email_verified_at is null then nullif(email, %(email)s) else email end,
           phone = case when phone_verified_at is null then nullif(phone, %(phone)s) else phone end
     where id = %(account)s
    """,
)
