"""SQL of accounts that several rooms use."""

from __future__ import annotations

from vetrina.accounts.model import AccountRow, Credentials
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
