"""All SQL of accounts."""

from __future__ import annotations

from functools import cache
from types import NoneType
from typing import LiteralString
from uuid import UUID

from vetrina.accounts.model import AccountRow, Credentials, Rotated, SessionOwner, SessionRow
from vetrina.core.database.connection import Statement

INSERT_ACCOUNT = Statement(
    AccountRow,
    """
    with account as (
      insert into accounts.accounts (id, kind, email, phone, password_hash, last_login_at)
      values (%(id)s, %(kind)s, %(email)s, %(phone)s, %(password_hash)s, now())
      returning id, kind, email, phone, created_at
    ), face as (
      insert into accounts.users (account_id, name)
      select id, %(name)s from account where kind = 'user' returning name
    ), business as (
      insert into accounts.vendors (account_id, business_name)
      select id, coalesce(%(name)s, split_part(email, '@', 1), 'A business') from account where kind = 'vendor'
      returning business_name
    )
    select account.id, account.kind, account.email, account.phone, account.created_at,
           false as email_verified, false as phone_verified,
           coalesce((select name from face), (select business_name from business)) as name
      from account
    """,
)

CREDENTIALS = Statement(
    Credentials,
    """
    select id, password_hash, is_active,
           encode(sha256(convert_to(coalesce(password_hash, ''), 'UTF8')), 'hex') as fingerprint
      from accounts.accounts
     where kind = %(kind)s and (email = %(email)s::text or phone = %(phone)s::text)
    """,
)

ACCOUNT = Statement(
    AccountRow,
    """
    select a.id, a.kind, a.email, a.phone, coalesce(u.name, v.business_name) as name,
           a.email_verified_at is not null as email_verified, a.phone_verified_at is not null as phone_verified, a.created_at
      from accounts.accounts a
      left join accounts.users u on u.account_id = a.id
      left join accounts.vendors v on v.account_id = a.id
     where a.id = %(account)s
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

INSERT_SESSION = Statement(
    NoneType,
    """
    with seen as (
      update accounts.accounts set last_login_at = now() where id = %(account)s
    )
    insert into accounts.sessions (account_id, id, refresh_token_hash, user_agent, ip, expires_at)
    values (%(account)s, %(id)s, %(hash)s, %(user_agent)s, %(ip)s, now() + make_interval(days => %(days)s))
    """,
)

# One round trip a page: the session, whose it is, and what the page's head shows (`session_owner`). `last_used_at` is
# written at most once in five minutes, so that reading pages stays reading. A program's session is used by
# refreshing it, which writes it too: calls with an access token ask no database for it.
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
     where s.account_id = %(account)s and s.id = %(id)s and s.refresh_token_hash = %(hash)s
       and s.revoked_at is null and s.expires_at > now() and a.is_active
    """,
)



@cache
def session_owner(columns: tuple[tuple[LiteralString, LiteralString], ...]) -> Statement[SessionOwner]:
    """Return SESSION_OWNER with the modules' `session_columns` in `head`: name and SQL expression over the account `a`."""
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in columns)
    return Statement(SessionOwner, SESSION_OWNER.sql.replace("'{}'::jsonb", f"jsonb_build_object({pairs})"), declared=False)


ROTATE = Statement(
    Rotated,
    """
    with live as (
      select s.*, a.kind, a.is_active from accounts.sessions s join accounts.accounts a on a.id = s.account_id
       where s.account_id = %(account)s and s.id = %(id)s
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
      -- An old token after its grace is a stolen one: the whole family ends.
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

REVOKE = Statement(
    NoneType,
    """
    update accounts.sessions set revoked_at = now(), revoked_why = %(why)s
     where account_id = %(account)s and id = %(id)s and revoked_at is null
    """,
)

SESSION_IS = Statement(UUID, "select id from accounts.sessions where account_id = %(account)s and id = %(id)s")

REVOKE_OTHERS = Statement(
    NoneType,
    """
    update accounts.sessions set revoked_at = now(), revoked_why = 'signed out everywhere'
     where account_id = %(account)s and id <> %(id)s and revoked_at is null
    """,
)

ENDED_LATELY = Statement(
    UUID, "select id from accounts.sessions where revoked_at > now() - make_interval(secs => %(seconds)s) order by revoked_at"
)

REVOKE_ALL = Statement(
    NoneType,
    """
    update accounts.sessions set revoked_at = now(), revoked_why = %(why)s
     where account_id = %(account)s and revoked_at is null
    """,
)

SESSIONS = Statement(
    SessionRow,
    """
    select id, user_agent, host(ip) as ip, last_used_at, created_at, expires_at
      from accounts.sessions
     where account_id = %(account)s and revoked_at is null and expires_at > now()
     order by last_used_at desc
     limit 100
    """,
)

SESSION_LIVES = Statement(
    UUID,
    """
    select s.id from accounts.sessions s join accounts.accounts a on a.id = s.account_id
     where s.account_id = %(account)s and s.id = %(id)s and s.revoked_at is null and s.expires_at > now() and a.is_active
    """,
)

WELCOME_TOKENS = Statement(
    int, "select coalesce((select (value #>> '{}')::integer from core.settings where key = 'wallet.welcome_tokens'), 0) as tokens"
)
