"""SQL of sessions."""

from __future__ import annotations

from functools import cache
from types import NoneType
from typing import LiteralString
from uuid import UUID

from vetrina.accounts.sessions.model import SessionOwner, SessionRow, SignInAccount, TokenRotation
from vetrina.core.database.connection import Statement

# Locks the account, so that no session is opened with a password that is being reset.
SIGN_IN_ACCOUNT = Statement(
    SignInAccount,
    """
    select a.id, a.kind, a.is_active,
           encode(sha256(convert_to(coalesce(a.password_hash, ''), 'UTF8')), 'hex') as fingerprint,
           exists (select from accounts.second_factors f
                    where f.account_id = a.id and f.confirmed_at is not null) as second_factor
      from accounts.accounts a where a.id = %(account)s
       for update of a
    """,
)

INSERT_SESSION = Statement(
    NoneType,
    """
    with seen as (
      update accounts.accounts set last_login_at = now() where id = %(account)s
    )
    insert into accounts.sessions (account_id, id, client, refresh_token_hash, user_agent, ip, expires_at)
    values (%(account)s, %(id)s, %(client)s, %(hash)s, %(user_agent)s, %(ip)s, now() + make_interval(days => %(days)s))
    """,
)

# One statement a page: the session, its owner, and what the page's head shows (`session_owner`). `last_used_at` is written at
# most once in five minutes, so that reading pages stays reading. A program's session is used by refreshing it, which writes
# it too: calls with an access token read no session.
SESSION_OWNER = Statement(
    SessionOwner,
    """
    with used as (
      update accounts.sessions set last_used_at = now(), ip = coalesce(%(ip)s::inet, ip)
       where account_id = %(account)s and id = %(id)s and refresh_token_hash = %(hash)s
         and revoked_at is null and last_used_at < now() - interval '5 minutes'
    )
    select a.id as account_id, a.kind, a.email, a.phone, coalesce(u.name, v.business_name) as name,
           '{}'::jsonb as head,
           array(select r.role from accounts.user_roles r where r.account_id = a.id) as roles
      from accounts.sessions s
      join accounts.accounts a on a.id = s.account_id
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where s.account_id = %(account)s and s.id = %(id)s and s.refresh_token_hash = %(hash)s and s.client = 'browser'
       and s.revoked_at is null and s.expires_at > now() and a.is_active
    """,
)


@cache
def session_owner(columns: tuple[tuple[LiteralString, LiteralString], ...]) -> Statement[SessionOwner]:
    """Return SESSION_OWNER with the modules' `session_columns` in `head`: name and SQL expression over the account `a`."""
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in columns)
    return Statement(SessionOwner, SESSION_OWNER.sql.replace("'{}'::jsonb", f"jsonb_build_object({pairs})"), declared=False)


ROTATE_TOKEN = Statement(
    TokenRotation,
    """
    with live as (
      select s.*, a.kind, a.is_active from accounts.sessions s join accounts.accounts a on a.id = s.account_id
       where s.account_id = %(account)s and s.id = %(id)s and s.client = 'program'
         for update of s
    ), rotated as (
      update accounts.sessions s
         set previous_token_hash = s.refresh_token_hash, refresh_token_hash = %(new_hash)s,
             rotation_counter = s.rotation_counter + 1, rotated_at = now(), last_used_at = now(),
             ip = coalesce(%(ip)s::inet, s.ip), user_agent = coalesce(%(user_agent)s, s.user_agent)
        from live
       where s.account_id = live.account_id and s.id = live.id and live.refresh_token_hash = %(hash)s
         and live.revoked_at is null and live.expires_at > now() and live.is_active
      returning s.id
    ), reused as (
      -- A spent token that comes after its grace period counts as stolen: the session ends.
      update accounts.sessions s set revoked_at = now(), revoked_why = 'refresh token used again'
        from live
       where s.account_id = live.account_id and s.id = live.id and live.refresh_token_hash <> %(hash)s
         and live.revoked_at is null
         and (live.previous_token_hash is distinct from %(hash)s or live.rotated_at < now() - interval '10 seconds')
      returning s.id
    )
    select case when exists (select from rotated) then 'rotated'
                when exists (select from reused) then 'reused'
                else 'grace' end as outcome,
           live.kind
      from live
    """,
)

REVOKE_SESSION = Statement(
    NoneType,
    """
    update accounts.sessions set revoked_at = now(), revoked_why = %(why)s
     where account_id = %(account)s and id = %(id)s and revoked_at is null
    """,
)

OWN_SESSION = Statement(UUID, "select id from accounts.sessions where account_id = %(account)s and id = %(id)s")

REVOKE_OTHERS = Statement(
    NoneType,
    """
    update accounts.sessions set revoked_at = now(), revoked_why = 'signed out everywhere'
     where account_id = %(account)s and id <> %(id)s and revoked_at is null
    """,
)

ENDED_RECENTLY = Statement(
    UUID, "select id from accounts.sessions where revoked_at > now() - make_interval(secs => %(seconds)s) order by revoked_at"
)

REVOKE_ALL = Statement(
    NoneType,
    """
    update accounts.sessions set revoked_at = now(), revoked_why = %(why)s
     where account_id = %(account)s and revoked_at is null
    """,
)

LIVE_SESSIONS = Statement(
    SessionRow,
    """
    select id, user_agent, host(ip) as ip, last_used_at, created_at, expires_at
      from accounts.sessions
     where account_id = %(account)s and revoked_at is null and expires_at > now()
     order by last_used_at desc
     limit 100
    """,
)

LIVE_SESSION = Statement(
    UUID,
    """
    select s.id from accounts.sessions s join accounts.accounts a on a.id = s.account_id
     where s.account_id = %(account)s and s.id = %(id)s and s.revoked_at is null and s.expires_at > now() and a.is_active
    """,
)

# One statement, so that parallel guesses cannot exceed the limit. Seconds to wait when it is used up, no row when it was
# counted.
COUNT_FAILURE = Statement(
    int,
    """
    with setting as (
      select coalesce((value ->> 'count')::float8, 0) as burst, coalesce((value ->> 'seconds')::float8, 60) as seconds
        from core.settings where key = 'limits.sign_in_target'
    ), counted as (
      insert into accounts.sign_in_failures as f (subject, failures) select %(subject)s, 1 from setting where burst > 0
      on conflict (subject) do update
         set failures = greatest(0, f.failures - extract(epoch from clock_timestamp() - f.counted_at)
                                                 * (select burst / seconds from setting)) + 1,
             counted_at = clock_timestamp()
       where greatest(0, f.failures - extract(epoch from clock_timestamp() - f.counted_at)
                                      * (select burst / seconds from setting)) + 1 <= (select burst from setting)
      returning true
    )
    select ceil(seconds / burst)::integer as seconds from setting where burst > 0 and not exists (select from counted)
    """,
)
REMOVE_FAILURE = Statement(
    NoneType, "update accounts.sign_in_failures set failures = greatest(0, failures - 1) where subject = %(subject)s"
)
DELETE_OLD_FAILURES = Statement(
    NoneType,
    """
    delete from accounts.sign_in_failures
     where counted_at < now() - make_interval(secs => coalesce(
             (select (value ->> 'seconds')::float8 from core.settings where key = 'limits.sign_in_target'), 86400))
    """,
)
